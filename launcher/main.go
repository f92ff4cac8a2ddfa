// The launcher starts a process of an image as the Cloud Native Buildpacks platform specification says.
// It handles direct processes; a process that needs a shell is refused (82) and profile.d is not sourced.
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	code, err := launch()
	fmt.Fprintln(os.Stderr, "ERROR:", err)
	os.Exit(code)
}

func valueOr(name, standard string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return standard
}

func launch() (int, error) {
	switch strings.TrimPrefix(os.Getenv("CNB_PLATFORM_API"), "v") {
	case "0.12", "0.13", "0.14", "0.15":
	default:
		return 11, fmt.Errorf("CNB_PLATFORM_API is %q; set it to one of 0.12 to 0.15", os.Getenv("CNB_PLATFORM_API"))
	}
	layers, app := valueOr("CNB_LAYERS_DIR", "/layers"), valueOr("CNB_APP_DIR", "/workspace")
	content, err := os.ReadFile(filepath.Join(layers, "config", "metadata.toml"))
	if err != nil {
		return 1, err
	}
	metadata, err := parseToml(string(content))
	if err != nil {
		return 1, fmt.Errorf("metadata.toml: %w", err)
	}
	if err := checkBuildpacks(metadata); err != nil {
		return 12, err
	}
	process, err := choose(metadata, filepath.Base(os.Args[0]), os.Args[1:], valueOr("CNB_EXEC_ENV", "production"))
	if err != nil {
		return 82, err
	}
	if err := start(process, metadata, layers, app); err != nil {
		return 82, err
	}
	return 0, nil
}

func start(p process, metadata map[string]any, layers, app string) error {
	if err := os.Chdir(app); err != nil {
		return err
	}
	env := launchEnvironment(os.Environ())
	if err := env.addLayers(metadata, layers, p.kind); err != nil {
		return err
	}
	os.Setenv("PATH", env["PATH"])
	path, err := exec.LookPath(p.argv[0])
	if err != nil {
		return err
	}
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	if p.directory != "" {
		if err := os.Chdir(p.directory); err != nil {
			return err
		}
	}
	return syscall.Exec(path, p.argv, env.list())
}

func directories(parent string) (list []string) {
	entries, _ := os.ReadDir(parent)
	for _, entry := range entries {
		path := filepath.Join(parent, entry.Name())
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			list = append(list, path)
		}
	}
	return list
}

func (env environment) addLayers(metadata map[string]any, layers, kind string) error {
	var all []string
	for _, buildpack := range tables(metadata["buildpacks"]) {
		mine := directories(filepath.Join(layers, strings.ReplaceAll(text(buildpack["id"]), "/", "_")))
		for _, layer := range mine {
			env.prependDirectory("PATH", filepath.Join(layer, "bin"))
			env.prependDirectory("LD_LIBRARY_PATH", filepath.Join(layer, "lib"))
		}
		for _, layer := range mine {
			names := []string{"env", "env.launch"}
			if kind != "" {
				names = append(names, "env.launch/"+kind)
			}
			for _, name := range names {
				if err := env.applyDirectory(filepath.Join(layer, name)); err != nil {
					return err
				}
			}
		}
		all = append(all, mine...)
	}
	for _, layer := range all {
		names := []string{"exec.d"}
		if kind != "" {
			names = append(names, "exec.d/"+kind)
		}
		for _, name := range names {
			if err := env.runDirectory(filepath.Join(layer, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (env environment) runDirectory(directory string) error {
	entries, _ := os.ReadDir(directory)
	for _, entry := range entries {
		path := filepath.Join(directory, entry.Name())
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			continue
		}
		if err := env.run(path); err != nil {
			return fmt.Errorf("exec.d %s: %w", path, err)
		}
	}
	return nil
}

// run starts one exec.d program and sets what it writes, as TOML strings, to file descriptor 3.
func (env environment) run(path string) error {
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	defer reader.Close()
	command := exec.Command(path)
	command.Env, command.Stdout, command.Stderr, command.ExtraFiles = env.list(), os.Stdout, os.Stderr, []*os.File{writer}
	err = command.Start()
	writer.Close()
	if err != nil {
		return err
	}
	output, readError := io.ReadAll(reader)
	if err := command.Wait(); err != nil {
		return err
	}
	if readError != nil {
		return readError
	}
	values, err := parseToml(string(output))
	if err != nil {
		return err
	}
	for name, value := range values {
		if _, ok := value.(string); !ok {
			return fmt.Errorf("%s is not a string", name)
		}
	}
	for name := range values {
		env[name] = values[name].(string)
	}
	return nil
}
