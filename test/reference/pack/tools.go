//go:build tools

// Package reference names the programs that tests compare slipway with, so that their versions are pinned in go.mod.
package reference

import (
	_ "github.com/buildpacks/pack/cmd/pack"
	_ "github.com/google/go-containerregistry/cmd/crane"
)
