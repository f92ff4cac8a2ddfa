package main

import (
	"os"
	"path/filepath"
	"strings"
)

// environment holds variables by name; values are kept byte for byte.
type environment map[string]string

var stripped = []string{"CNB_LAYERS_DIR", "CNB_APP_DIR", "CNB_PROCESS_TYPE", "CNB_PLATFORM_API", "CNB_DEPRECATION_MODE"}

// launchEnvironment is the container's environment without what only the launcher needs.
func launchEnvironment(list []string) environment {
	env := environment{}
	for _, entry := range list {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" {
			env[name] = value
		}
	}
	for _, name := range stripped {
		delete(env, name)
	}
	if path, ok := env["PATH"]; ok {
		var kept []string
		for _, element := range strings.Split(path, ":") {
			if element != "/cnb/process" && element != "/cnb/lifecycle" {
				kept = append(kept, element)
			}
		}
		env["PATH"] = strings.Join(kept, ":")
	}
	return env
}

func (env environment) list() []string {
	var list []string
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	return list
}

func (env environment) prependDirectory(name, directory string) {
	if info, err := os.Stat(directory); err != nil || !info.IsDir() {
		return
	}
	if old := env[name]; old != "" {
		directory += ":" + old
	}
	env[name] = directory
}

// applyDirectory applies the files of one env directory in byte order of their names.
func (env environment) applyDirectory(directory string) error {
	entries, err := os.ReadDir(directory)
	if os.IsNotExist(err) {
		return nil
	} else if err != nil {
		return err
	}
	for _, entry := range entries {
		path := filepath.Join(directory, entry.Name())
		if info, err := os.Stat(path); err != nil {
			return err
		} else if info.IsDir() {
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, action, _ := strings.Cut(entry.Name(), ".")
		delimiter, _ := os.ReadFile(filepath.Join(directory, name+".delim"))
		env.apply(name, action, string(content), string(delimiter))
	}
	return nil
}

func (env environment) apply(name, action, value, delimiter string) {
	old := env[name]
	if old == "" {
		delimiter = ""
	}
	switch action {
	case "", "override":
		env[name] = value
	case "default":
		if old == "" {
			env[name] = value
		}
	case "append":
		env[name] = old + delimiter + value
	case "prepend":
		env[name] = value + delimiter + old
	}
}
