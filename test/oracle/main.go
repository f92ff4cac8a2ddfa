// Command oracle answers with what the reference lifecycle makes of the same input, so that tests can compare.
// It reads one JSON request from standard input and writes one JSON answer to standard output.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/buildpacks/lifecycle/layers"
	"github.com/buildpacks/lifecycle/log"
)

type request struct {
	UID, GID int
	// Directories to pack, each to a layer.
	Directories []string
	// App to cut, and the patterns of each slice.
	App    string
	Slices [][]string
	// Pairs of a pattern and a path, as latin1 text.
	Matches [][2][]byte
}

type answer struct {
	Directories []string
	App         []string
	// For each pair: 1 if it matches, 0 if not, -1 if the pattern is malformed.
	Matches []int
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return err
	}
	artifacts, err := os.MkdirTemp("", "oracle")
	if err != nil {
		return err
	}
	defer os.RemoveAll(artifacts)
	factory := layers.Factory{ArtifactsDir: artifacts, UID: asked.UID, GID: asked.GID, Logger: log.NewDefaultLogger(os.Stderr)}
	told := answer{Directories: []string{}, App: []string{}, Matches: []int{}}
	for index, directory := range asked.Directories {
		layer, err := factory.DirLayer(fmt.Sprintf("directory-%d", index), directory, "")
		if err != nil {
			return err
		}
		told.Directories = append(told.Directories, layer.Digest)
	}
	if asked.App != "" {
		slices := []layers.Slice{}
		for _, paths := range asked.Slices {
			slices = append(slices, layers.Slice{Paths: paths})
		}
		cut, err := factory.SliceLayers(asked.App, slices)
		if err != nil {
			return err
		}
		for _, layer := range cut {
			told.App = append(told.App, layer.Digest)
		}
	}
	for _, pair := range asked.Matches {
		told.Matches = append(told.Matches, match(string(pair[0]), string(pair[1])))
	}
	return json.NewEncoder(os.Stdout).Encode(told)
}

func match(pattern, path string) int {
	matched, err := filepath.Match(pattern, path)
	if err != nil {
		return -1
	}
	if matched {
		return 1
	}
	return 0
}
