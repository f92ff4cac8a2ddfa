// A buildpack as people write them with libcnb: it contributes a layer with a variable and an exec.d helper,
// keeps a count from build to build, and starts the app's greeting.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/buildpacks/libcnb"
)

type detector struct{}

func (detector) Detect(context libcnb.DetectContext) (libcnb.DetectResult, error) {
	if _, err := os.Stat(filepath.Join(context.Application.Path, "greeting")); err != nil {
		return libcnb.DetectResult{Pass: false}, nil
	}
	return libcnb.DetectResult{Pass: true, Plans: []libcnb.BuildPlan{{
		Provides: []libcnb.BuildPlanProvide{{Name: "greeter"}},
		Requires: []libcnb.BuildPlanRequire{{Name: "greeter", Metadata: map[string]interface{}{"loud": true}}},
	}}}, nil
}

type builder struct{}

func (builder) Build(context libcnb.BuildContext) (libcnb.BuildResult, error) {
	result := libcnb.NewBuildResult()
	builds, _ := context.PersistentMetadata["builds"].(int64)
	result.PersistentMetadata = map[string]interface{}{"builds": builds + 1}
	fmt.Printf("Build %d of %s by %s on %s, loud: %v\n", builds+1, context.Platform.Environment["NAME"],
		context.Buildpack.Info.ID, context.StackID, context.Plan.Entries[0].Metadata["loud"])
	result.Layers = append(result.Layers, contributor{name: "greeter"})
	result.Processes = append(result.Processes, libcnb.Process{
		Type: "web", Command: "/bin/sh", Arguments: []string{"-c", "cat greeting; echo \"$GREETER $HELPED\""}, Direct: true, Default: true,
	})
	result.Labels = append(result.Labels, libcnb.Label{Key: "example.greeter", Value: "libcnb"})
	return result, nil
}

type contributor struct{ name string }

func (c contributor) Name() string { return c.name }

func (contributor) Contribute(layer libcnb.Layer) (libcnb.Layer, error) {
	layer.LayerTypes = libcnb.LayerTypes{Launch: true, Cache: true}
	layer.Metadata = map[string]interface{}{"version": "1"}
	layer.LaunchEnvironment.Override("GREETER", "from libcnb")
	if err := os.MkdirAll(layer.Exec.Path, 0o755); err != nil {
		return layer, err
	}
	script := []byte("#!/bin/sh\nprintf 'HELPED = \"by exec.d\"\\n' >&3\n")
	return layer, os.WriteFile(filepath.Join(layer.Exec.Path, "helper"), script, 0o755)
}

func main() {
	libcnb.Main(detector{}, builder{})
}
