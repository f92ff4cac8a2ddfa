// Package failure holds failures that the reader of a container's log can act on.
package failure

import (
	"errors"
	"strings"
)

// Exit codes of the Cloud Native Buildpacks platform specification.
const (
	Generic      = 1
	PlatformAPI  = 11
	BuildpackAPI = 12
	Launch       = 82
)

// Failure says what did not happen, why, and what to do about it.
type Failure struct {
	Code int
	What string
	Why  string
	Fix  string
}

// New makes a failure that ends the launcher with the code.
func New(code int, what, why, fix string) *Failure { return &Failure{code, what, why, fix} }

func (f *Failure) Error() string { return f.What + ": " + f.Why }

// Text is what a log gets: `ERROR: what: why` and a line that begins with `What to do:`.
func Text(err error) string {
	var f *Failure
	if !errors.As(err, &f) {
		return "ERROR: " + printable(err.Error()) + "\n"
	}
	text := "ERROR: " + printable(f.Error()) + "\n"
	if f.Fix != "" {
		text += "  What to do: " + printable(f.Fix) + "\n"
	}
	return text
}

// Code is the exit code of an error; Generic for one that is no Failure.
func Code(err error) int {
	var f *Failure
	if errors.As(err, &f) {
		return f.Code
	}
	return Generic
}

// printable keeps names that an image chose from writing to the terminal.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c >= 0x7f && c < 0xa0 {
			return '?'
		}
		return c
	}, text)
}
