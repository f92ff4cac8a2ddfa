package launch

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// environment holds variables by name; values are kept byte for byte.
type environment map[string]string

// own are the variables that only a launcher needs.
var own = []string{"CNB_LAYERS_DIR", "CNB_APP_DIR", "CNB_PROCESS_TYPE", "CNB_PLATFORM_API", "CNB_DEPRECATION_MODE"}

// launchEnvironment is the container's environment without what only the launcher needs.
func launchEnvironment(list []string) environment {
	env := environment{}
	for _, entry := range list {
		if name, value, ok := strings.Cut(entry, "="); ok && !slices.Contains(own, name) {
			env[name] = value
		}
	}
	if path, ok := env["PATH"]; ok {
		elements := slices.DeleteFunc(strings.Split(path, ":"), func(element string) bool {
			return element == "/cnb/process" || element == "/cnb/lifecycle"
		})
		env["PATH"] = strings.Join(elements, ":")
	}
	return env
}

// list is the environment as a program gets it, sorted.
func (env environment) list() []string {
	list := make([]string, 0, len(env))
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}

func (env environment) prependDirectory(name, directory string) error {
	if _, err := os.Stat(directory); os.IsNotExist(err) {
		return nil
	} else if err != nil {
		return err
	}
	if old := env[name]; old != "" {
		directory += ":" + old
	}
	env[name] = directory
	return nil
}

// applyDirectory applies the files of one env directory in byte order of their names (buildpack specification,
// "Environment Variable Modification Rules").
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
		name, action, parted := strings.Cut(entry.Name(), ".")
		if !parted {
			action = "override"
		}
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
	case "override":
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
