package launch

import (
	"fmt"
	"io"
	"os"

	"slipway/launcher/internal/failure"
	"slipway/launcher/internal/toml"
)

// mostOutput is what an exec.d program may write to descriptor 3.
const mostOutput = 16 << 20

// runPrograms runs the exec.d programs of all layers, each with the environment that those before it left.
func (env environment) runPrograms(all [][]layer, kind string) error {
	for _, mine := range all {
		for _, each := range mine {
			programs, err := each.files("exec.d", kind)
			if err != nil {
				return err
			}
			for _, program := range programs {
				if err := env.run(program); err != nil {
					return failure.New(failure.Launch, "the start-up program "+program+" did not succeed", reason(err),
						"its own words, if it had any, are above; its buildpack's documentation says what it needs")
				}
			}
		}
	}
	return nil
}

// run starts one exec.d program, without input, and sets the strings that it writes as TOML to descriptor 3.
func (env environment) run(path string) error {
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	defer reader.Close()
	// A pipe that nobody writes to is as empty as /dev/null, which an image need not have.
	input, none, err := os.Pipe()
	if err != nil {
		writer.Close()
		return err
	}
	none.Close()
	program, err := os.StartProcess(path, []string{path}, &os.ProcAttr{
		Env: env.list(), Files: []*os.File{input, os.Stdout, os.Stderr, writer},
	})
	input.Close()
	writer.Close()
	if err != nil {
		return err
	}
	output, readError := io.ReadAll(io.LimitReader(reader, mostOutput+1))
	reader.Close()
	if state, err := program.Wait(); err != nil {
		return err
	} else if !state.Success() {
		return fmt.Errorf("it ended with %s", state)
	}
	if readError != nil {
		return readError
	}
	return env.take(output)
}

func (env environment) take(output []byte) error {
	if len(output) > mostOutput {
		return fmt.Errorf("it wrote more than %d bytes to descriptor 3", mostOutput)
	}
	values, err := toml.Parse(string(output))
	if err != nil {
		return fmt.Errorf("what it wrote to descriptor 3 is not TOML: %w", err)
	}
	for name, value := range values {
		if _, ok := value.(string); !ok {
			return fmt.Errorf("what it wrote to descriptor 3 has %q, which is not a string", name)
		}
	}
	for name, value := range values {
		env[name] = value.(string)
	}
	return nil
}
