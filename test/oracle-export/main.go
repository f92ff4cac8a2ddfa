// Command oracle-export answers with what the exporter, the cache and the rebaser of the reference lifecycle make of a directory:
//
//	oracle-export export ROOT   reads ROOT/{layers,workspace,launcher,base}, writes the image layout ROOT/reference and the cache ROOT/reference-cache
//	oracle-export rebase ROOT   puts ROOT/base2 under the image in ROOT/ours, which becomes ROOT/reference-rebased
package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/buildpacks/imgutil/layout"
	"github.com/buildpacks/lifecycle/api"
	"github.com/buildpacks/lifecycle/buildpack"
	"github.com/buildpacks/lifecycle/cache"
	"github.com/buildpacks/lifecycle/layers"
	"github.com/buildpacks/lifecycle/log"
	"github.com/buildpacks/lifecycle/phase"
	"github.com/buildpacks/lifecycle/platform/files"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(verb, root string) error {
	switch verb {
	case "export":
		return export(root)
	case "rebase":
		return rebase(root)
	}
	return errors.New("unknown verb")
}

func export(root string) error {
	logger := log.NewDefaultLogger(os.Stdout)
	artifacts, err := os.MkdirTemp("", "oracle")
	if err != nil {
		return err
	}
	defer os.RemoveAll(artifacts)
	exporter := &phase.Exporter{
		Buildpacks: []buildpack.GroupElement{
			{ID: "acme/bp", Version: "1.0.0", API: "0.10", Homepage: "https://acme.example"},
			{ID: "acme/none", Version: "2.0.0", API: "0.12"},
		},
		LayerFactory: &layers.Factory{ArtifactsDir: artifacts, UID: 1001, GID: 1000, Logger: logger},
		Logger:       logger,
		PlatformAPI:  api.MustParse("0.15"),
	}
	image, err := layout.NewImage(root+"/reference", layout.FromBaseImagePath(root+"/base"), layout.WithHistory(), layout.WithCreatedAt(time.Unix(1700000000, 0)))
	if err != nil {
		return err
	}
	if _, err = exporter.Export(phase.ExportOptions{
		WorkingImage:      image,
		AppDir:            root + "/workspace",
		LayersDir:         root + "/layers",
		LauncherConfig:    phase.LauncherConfig{Path: root + "/launcher", Metadata: files.LauncherMetadata{Version: "1.2.3"}},
		ExecEnv:           "production",
		RunImageRef:       "run@sha256:88",
		RunImageForExport: files.RunImageForExport{Image: root + "/base2", Mirrors: []string{"mirror.example/run"}},
		Project: files.ProjectMetadata{Source: &files.ProjectSource{
			Type:     "git",
			Version:  map[string]interface{}{"commit": "abc"},
			Metadata: map[string]interface{}{"url": "https://x.example/?a=1&b=2"},
		}},
	}); err != nil {
		return err
	}
	if err := os.MkdirAll(root+"/reference-cache", 0o755); err != nil {
		return err
	}
	volume, err := cache.NewVolumeCache(root+"/reference-cache", logger)
	if err != nil {
		return err
	}
	return exporter.Cache(root+"/layers", volume)
}

func rebase(root string) error {
	app, err := layout.NewImage(root+"/ours", layout.FromBaseImagePath(root+"/ours"))
	if err != nil {
		return err
	}
	base, err := layout.NewImage(root+"/base2", layout.FromBaseImagePath(root+"/base2"))
	if err != nil {
		return err
	}
	rebaser := &phase.Rebaser{Logger: log.NewDefaultLogger(os.Stdout), PlatformAPI: api.MustParse("0.15")}
	_, err = rebaser.Rebase(app, base, root+"/reference-rebased", nil)
	return err
}
