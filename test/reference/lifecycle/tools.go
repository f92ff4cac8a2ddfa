//go:build tools

// Package reference names the programs that tests compare slipway with, so that their versions are pinned in go.mod.
// It is a module of its own because pack needs other versions of the same libraries.
package reference

import (
	_ "github.com/buildpacks/lifecycle/cmd/launcher"
	_ "github.com/buildpacks/lifecycle/cmd/lifecycle"
)
