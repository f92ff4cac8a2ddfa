package main

import (
	"fmt"
	"os"
	"slices"
)

type process struct {
	kind      string
	argv      []string
	directory string
}

func text(value any) string { s, _ := value.(string); return s }

func texts(value any) (list []string) {
	if single, ok := value.(string); ok {
		return []string{single}
	}
	all, _ := value.([]any)
	for _, one := range all {
		list = append(list, text(one))
	}
	return list
}

func tables(value any) (list []map[string]any) {
	all, _ := value.([]any)
	for _, one := range all {
		if table, ok := one.(map[string]any); ok {
			list = append(list, table)
		}
	}
	return list
}

func checkBuildpacks(metadata map[string]any) error {
	for _, b := range tables(metadata["buildpacks"]) {
		if !slices.Contains([]string{"0.7", "0.8", "0.9", "0.10", "0.11", "0.12"}, text(b["api"])) {
			return fmt.Errorf("buildpack %s has API %q", text(b["id"]), text(b["api"]))
		}
	}
	return nil
}

func choose(metadata map[string]any, name string, args []string, mode string) (process, error) {
	known := false
	for _, p := range tables(metadata["processes"]) {
		if text(p["type"]) != name {
			continue
		}
		known = true
		allowed := texts(p["exec-env"])
		if os.Getenv("CNB_PLATFORM_API") == "0.15" && len(allowed) > 0 &&
			!slices.Contains(allowed, "*") && !slices.Contains(allowed, mode) {
			continue
		}
		if direct, _ := p["direct"].(bool); !direct {
			return process{}, fmt.Errorf("process %s needs a shell, which this launcher cannot start", name)
		}
		argv, defaults := texts(p["command"]), texts(p["args"])
		if len(argv) == 0 || argv[0] == "" {
			return process{}, fmt.Errorf("process %s has an empty command", name)
		}
		if len(args) == 0 {
			argv = append(argv, defaults...)
		} else {
			if len(argv) == 1 && appends(metadata, text(p["buildpack-id"])) {
				argv = append(argv, defaults...)
			}
			argv = append(argv, args...)
		}
		return process{name, argv, text(p["working-dir"])}, nil
	}
	if known {
		return process{}, fmt.Errorf("process %s is not for %q", name, mode)
	}
	if len(args) > 1 && args[0] == "--" {
		return process{"", args[1:], ""}, nil
	}
	return process{}, fmt.Errorf("no process named %s; put -- before a command", name)
}

func appends(metadata map[string]any, id string) bool {
	for _, b := range tables(metadata["buildpacks"]) {
		if text(b["id"]) == id {
			return text(b["api"]) == "0.7" || text(b["api"]) == "0.8"
		}
	}
	return false
}
