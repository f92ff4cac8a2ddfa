// Package startup holds the helpers that prepare a container's environment before its process starts: exec.d programs
// of the Cloud Native Buildpacks specification, all in one binary and told apart by name. Names of variables and the
// lines that they print follow Paketo's, so that settings and expectations carry over.
package startup

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"slipway/launcher/internal/failure"
	"slipway/launcher/internal/machine"
	"slipway/launcher/internal/toml"
)

// Start is what a helper is started with.
type Start struct {
	Look      func(name string) (string, bool)
	Out       io.Writer
	Machine   machine.Machine
	Temporary []string // directories to try for files, the best first

	changes map[string]string
}

type helper func(*Start) error

var helpers = map[string]helper{
	"active-processor-count": activeProcessorCount,
	"ca-certificates":        caCertificates,
	"debug":                  debug,
	"java-opts":              javaOpts,
	"java-truststore":        javaTruststore,
	"jfr":                    flightRecorder,
	"jmx":                    managementExtensions,
	"jvm-heap":               heapDump,
	"jvm-out-of-memory":      outOfMemory,
	"memory-calculator":      memoryCalculator,
	"nmt":                    nativeMemoryTracking,
	"spring-cloud-bindings":  springCloudBindings,
	"spring-performance":     springPerformance,
}

// aliases are the names that other buildpacks know helpers by.
var aliases = map[string]string{
	"ca-certificates-helper":     "ca-certificates",
	"debug-8":                    "debug",
	"debug-9":                    "debug",
	"openssl-certificate-loader": "java-truststore",
	"performance":                "spring-performance",
}

// Name is the helper that a path of this binary stands for: `exec.d/NAME` or `exec.d/TYPE/NAME`, where digits and a dash
// before the name only say when it runs. False for any other path.
func Name(path string) (string, bool) {
	directory := filepath.Dir(path)
	if filepath.Base(directory) != "exec.d" && filepath.Base(filepath.Dir(directory)) != "exec.d" {
		return "", false
	}
	name := filepath.Base(path)
	if order, rest, found := strings.Cut(name, "-"); found && order != "" && strings.Trim(order, "0123456789") == "" {
		name = rest
	}
	if known := aliases[name]; known != "" {
		name = known
	}
	return name, true
}

// Run runs a helper and returns the TOML for the launcher; empty where nothing changes.
func Run(name string, s Start) (string, error) {
	run := helpers[name]
	if run == nil {
		var names []string
		for each := range helpers {
			names = append(names, each)
		}
		slices.Sort(names)
		return "", failure.New(failure.Generic, "cannot run the start-up helper "+strconv.Quote(name), "there is none of that name",
			"name the file in exec.d after one of "+strings.Join(names, ", "))
	}
	s.changes = map[string]string{}
	if err := run(&s); err != nil {
		return "", err
	}
	var lines []string
	for variable, value := range s.changes {
		if !validText(value) {
			return "", failure.New(failure.Generic, "cannot set "+variable, "its value is not UTF-8", "correct the variable")
		}
		lines = append(lines, toml.Quote(variable)+" = "+toml.Quote(value)+"\n")
	}
	slices.Sort(lines)
	return strings.Join(lines, ""), nil
}

func validText(text string) bool { return strings.ToValidUTF8(text, "") == text }

func (s *Start) say(format string, values ...any) { fmt.Fprintf(s.Out, format+"\n", values...) }

func (s *Start) set(name, value string) { s.changes[name] = value }

// value is a variable, or the standard where it is unset or empty.
func (s *Start) value(name, standard string) string {
	if value, _ := s.Look(name); value != "" {
		return value
	}
	return standard
}

// enabled is true for a variable that says yes; anything but a clear yes is a no.
func (s *Start) enabled(name string) bool {
	value, err := strconv.ParseBool(s.value(name, "false"))
	return err == nil && value
}

// number reads a whole number from low to high out of a variable.
func (s *Start) number(name string, standard, low, high int) (int, error) {
	text := s.value(name, "")
	if text == "" {
		return standard, nil
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < low || number > high {
		why := fmt.Sprintf("%s is %q", name, text)
		fix := fmt.Sprintf("set %s to a whole number from %d to %d, or leave it out for %d", name, low, high, standard)
		return 0, failure.New(failure.Generic, "cannot read a setting", why, fix)
	}
	return number, nil
}

// directory makes a new directory that only this user may change, and all may read.
func (s *Start) directory(prefix string) (string, error) {
	var reasons []string
	for _, parent := range s.Temporary {
		path, err := os.MkdirTemp(parent, prefix)
		if err == nil {
			return path, os.Chmod(path, 0o755)
		}
		reasons = append(reasons, err.Error())
	}
	return "", failure.New(failure.Generic, "cannot keep certificates", strings.Join(reasons, "; "),
		"mount a writable /tmp into the container (an emptyDir or a tmpfs), or name a writable directory in TMPDIR")
}
