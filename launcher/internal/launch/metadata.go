package launch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"slipway/launcher/internal/failure"
	"slipway/launcher/internal/toml"
)

// metadata is what the launcher needs of <layers>/config/metadata.toml.
type metadata struct {
	buildpacks []buildpack
	processes  []process
}

type buildpack struct{ id, api string }

// process is one way to start the image.
type process struct {
	kind      string // its type; empty for a command that the user gave
	command   []string
	args      []string
	direct    bool
	buildpack string
	directory string
	modes     []string // the execution environments that it is for; empty for all
}

func readMetadata(layers string) (metadata, error) {
	path := filepath.Join(layers, "config", "metadata.toml")
	failed := func(err error) (metadata, error) {
		fix := "build the image anew; CNB_LAYERS_DIR has to name its layers where that is not /layers"
		return metadata{}, failure.New(failure.Generic, "cannot read "+path, reason(err), fix)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return failed(err)
	}
	document, err := toml.Parse(string(content))
	if err != nil {
		return failed(err)
	}
	result, err := decode(document)
	if err != nil {
		return failed(err)
	}
	return result, nil
}

// reason is an error of the system without the path, which is said already.
func reason(err error) string {
	var system *os.PathError
	if errors.As(err, &system) {
		return system.Err.Error()
	}
	return err.Error()
}

func decode(document map[string]any) (result metadata, err error) {
	each := func(key string, take func(decoder)) {
		list, ok := document[key].([]any)
		if !ok && document[key] != nil {
			err = fmt.Errorf("%s is not an array", key)
		}
		for at, one := range list {
			table, ok := one.(map[string]any)
			if !ok {
				err = fmt.Errorf("%s[%d] is not a table", key, at)
				return
			}
			take(decoder{table, fmt.Sprintf("%s[%d]", key, at), &err})
		}
	}
	each("buildpacks", func(d decoder) {
		result.buildpacks = append(result.buildpacks, buildpack{d.text("id"), d.text("api")})
	})
	each("processes", func(d decoder) {
		result.processes = append(result.processes, process{d.text("type"), d.command(), d.texts("args"),
			d.boolean("direct"), d.text("buildpack-id"), d.text("working-dir"), d.texts("exec-env")})
	})
	return result, err
}

// decoder takes values of one type out of a table, and remembers the last mistake.
type decoder struct {
	table map[string]any
	name  string
	err   *error
}

func take[Value any](d decoder, key, kind string) (result Value) {
	result, ok := d.table[key].(Value)
	if !ok && d.table[key] != nil {
		*d.err = fmt.Errorf("%s.%s is not %s", d.name, key, kind)
	}
	return result
}

func (d decoder) text(key string) string  { return take[string](d, key, "a string") }
func (d decoder) boolean(key string) bool { return take[bool](d, key, "a boolean") }

func (d decoder) texts(key string) (list []string) {
	for _, one := range take[[]any](d, key, "an array") {
		text, ok := one.(string)
		if !ok {
			*d.err = fmt.Errorf("%s.%s has something in it that is not a string", d.name, key)
		}
		list = append(list, text)
	}
	return list
}

// command was a string before Platform API 0.10.
func (d decoder) command() []string {
	if text, ok := d.table["command"].(string); ok {
		return []string{text}
	}
	return d.texts("command")
}
