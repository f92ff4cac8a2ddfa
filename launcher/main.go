// The launcher starts a process of an image as the Cloud Native Buildpacks platform specification says. Under a name in
// a directory exec.d it is one of the start-up helpers instead, so that an image has all its Go code in one file.
package main

import (
	"fmt"
	"os"
	"runtime"

	"slipway/launcher/internal/failure"
	"slipway/launcher/internal/launch"
	"slipway/launcher/internal/machine"
	"slipway/launcher/internal/startup"
)

func main() {
	if len(os.Args) == 0 {
		os.Args = []string{"launcher"}
	}
	err := run()
	if err != nil {
		fmt.Fprint(os.Stderr, failure.Text(err))
		os.Exit(failure.Code(err))
	}
}

func run() error {
	if name, ok := startup.Name(os.Args[0]); ok {
		return help(name)
	}
	return launch.Run(launch.Container{
		Args:        os.Args,
		Environment: os.Environ(),
		Warn:        func(text string) { fmt.Fprintln(os.Stderr, "Warning: "+text) },
	})
}

// help runs a start-up helper and hands what it found to the launcher that started it, on descriptor 3.
func help(name string) error {
	output, err := startup.Run(name, startup.Start{
		Look:      os.LookupEnv,
		Out:       os.Stdout,
		Machine:   machine.Machine{Root: "/", Affinity: runtime.NumCPU()},
		Temporary: []string{os.TempDir(), "/tmp", "/dev/shm", "/run"},
	})
	if err != nil || output == "" {
		return err
	}
	if _, err := os.NewFile(3, "descriptor 3").WriteString(output); err != nil {
		return failure.New(failure.Generic, "cannot hand over what "+name+" found", err.Error(),
			"let a launcher run it from a directory exec.d; descriptor 3 has to be open for writing")
	}
	return nil
}
