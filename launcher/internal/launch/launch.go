// Package launch starts a process of an image (Cloud Native Buildpacks platform specification, "Launch").
package launch

import (
	"errors"
	"os"
	"path/filepath"

	"slipway/launcher/internal/failure"
)

// Container is what the launcher is started with.
type Container struct {
	Args        []string // the first is the launcher's own name, which chooses the process
	Environment []string
	Warn        func(string)
}

func (c Container) value(name, standard string) string {
	for _, entry := range c.Environment {
		if len(entry) > len(name)+1 && entry[:len(name)+1] == name+"=" {
			return entry[len(name)+1:]
		}
	}
	return standard
}

// Run becomes the chosen process. It returns only if that fails.
func Run(c Container) error {
	platform, err := checkPlatform(c.value("CNB_PLATFORM_API", ""))
	if err != nil {
		return err
	}
	layers, app := c.value("CNB_LAYERS_DIR", "/layers"), c.value("CNB_APP_DIR", "/workspace")
	if app, err = filepath.Abs(app); err != nil {
		return asLaunchFailure(err)
	}
	metadata, err := readMetadata(layers)
	if err != nil {
		return err
	}
	if err := checkBuildpacks(metadata.buildpacks); err != nil {
		return err
	}
	if kind := c.value("CNB_PROCESS_TYPE", ""); kind != "" {
		c.Warn("CNB_PROCESS_TYPE is not looked at; to start the process " + kind + " use the entrypoint /cnb/process/" + kind)
	}
	chosen, err := metadata.choose(filepath.Base(c.Args[0]), c.Args[1:], platform, c.value("CNB_EXEC_ENV", "production"))
	if err != nil {
		return err
	}
	return asLaunchFailure(start(chosen, metadata, layers, app, c))
}

func start(p process, m metadata, layers, app string, c Container) error {
	all, err := m.layersOf(layers)
	if err != nil {
		return err
	}
	if err := os.Chdir(app); err != nil {
		return err
	}
	env := launchEnvironment(c.Environment)
	if err := env.addLayers(all, p.kind); err != nil {
		return err
	}
	if err := env.runPrograms(all, p.kind); err != nil {
		return err
	}
	if p.directory == "" {
		p.directory = app
	}
	if p.direct {
		return p.execDirect(env)
	}
	// The reference asks for the maker of a process here, and fails without one.
	if len(p.args) > 0 && p.buildpack != "" {
		if _, err := m.maker(p); err != nil {
			return err
		}
	}
	return p.execShell(env, all, c.Args[0])
}

// asLaunchFailure gives errors of the system the exit code of a launch that failed.
func asLaunchFailure(err error) error {
	var known *failure.Failure
	if err == nil || errors.As(err, &known) {
		return err
	}
	return failure.New(failure.Launch, "cannot start", err.Error(), "check that the image and what is mounted into it can be read by its user")
}
