// Command oracle-phases runs detection and building as the reference lifecycle does, so that tests can compare.
// It reads one JSON request from standard input and writes one JSON answer to standard output.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/buildpacks/lifecycle/api"
	"github.com/buildpacks/lifecycle/buildpack"
	"github.com/buildpacks/lifecycle/cmd"
	"github.com/buildpacks/lifecycle/launch"
	"github.com/buildpacks/lifecycle/phase"
	"github.com/buildpacks/lifecycle/platform"
	"github.com/buildpacks/lifecycle/platform/files"
)

// job is one build: the directories of a platform, with order.toml and analyzed.toml in the layers directory.
type job struct {
	App, Layers, Platform, BuildConfig, Buildpacks string
	PlatformAPI, ExecEnv                           string
	// Build too, if detection passes.
	Build bool
}

// told is what became of it: the exit code of the phase that failed, or 0.
type told struct {
	Detect, Build int
}

func main() {
	var jobs []job
	if err := json.NewDecoder(os.Stdin).Decode(&jobs); err != nil {
		fail(err)
	}
	answers := []told{}
	for index, each := range jobs {
		fmt.Printf("--- case %d\n", index)
		answer, err := run(each)
		if err != nil {
			fail(err)
		}
		answers = append(answers, answer)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func run(each job) (told, error) {
	version, err := api.NewVersion(each.PlatformAPI)
	if err != nil {
		return told{}, err
	}
	store := platform.NewDirStore(each.Buildpacks, "")
	analyzed := filepath.Join(each.Layers, "analyzed.toml")
	inputs := platform.LifecycleInputs{
		PlatformAPI: version, AnalyzedPath: analyzed, AppDir: each.App, BuildConfigDir: each.BuildConfig,
		ExecEnv: each.ExecEnv, LayersDir: each.Layers, OrderPath: filepath.Join(each.Layers, "order.toml"),
		PlatformDir: each.Platform, SystemPath: filepath.Join(each.Layers, "system.toml"),
	}
	factory := phase.NewHermeticFactory(version, &cmd.BuildpackAPIVerifier{}, files.NewHandler(), store)
	detector, err := factory.NewDetector(inputs, cmd.DefaultLogger)
	if err != nil {
		return told{}, err
	}
	group, plan, err := detector.Detect()
	if err != nil {
		return told{Detect: detectCode(err)}, nil
	}
	if err := files.Handler.WriteGroup(filepath.Join(each.Layers, "group.toml"), &group); err != nil {
		return told{}, err
	}
	if err := files.Handler.WritePlan(filepath.Join(each.Layers, "plan.toml"), &plan); err != nil {
		return told{}, err
	}
	if !each.Build {
		return told{}, nil
	}
	metadata, err := files.Handler.ReadAnalyzed(analyzed, cmd.DefaultLogger)
	if err != nil {
		return told{}, err
	}
	builder := &phase.Builder{
		AppDir: each.App, BuildConfigDir: each.BuildConfig, LayersDir: each.Layers, PlatformDir: each.Platform,
		ExecEnv: each.ExecEnv, BuildExecutor: &buildpack.DefaultBuildExecutor{}, DirStore: store, Group: group,
		Logger: cmd.DefaultLogger, Out: io.Discard, Err: io.Discard, Plan: plan, PlatformAPI: version, AnalyzeMD: metadata,
	}
	built, err := builder.Build()
	if err != nil {
		var failed *buildpack.Error
		if errors.As(err, &failed) && failed.Type == buildpack.ErrTypeBuildpack {
			return told{Build: 51}, nil
		}
		return told{Build: 52}, nil
	}
	return told{}, files.Handler.WriteBuildMetadata(launch.GetMetadataFilePath(each.Layers), built)
}

func detectCode(err error) int {
	var failed *buildpack.Error
	if errors.As(err, &failed) {
		switch failed.Type {
		case buildpack.ErrTypeFailedDetection:
			return 20
		case buildpack.ErrTypeBuildpack:
			return 21
		}
	}
	return 22
}
