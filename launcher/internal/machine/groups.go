package machine

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// files reads a file of each control group of a controller that this process is in, outermost first; "" is the one
// hierarchy of version 2. Groups that cannot be seen from here are left out.
func (m Machine) files(controller, name string) []string {
	var contents []string
	for _, directory := range m.groups(controller) {
		content, err := os.ReadFile(filepath.Join(directory, name))
		if err == nil {
			contents = append(contents, strings.TrimSpace(string(content)))
		}
	}
	return contents
}

func (m Machine) numbers(controller, name string) []int64 {
	var numbers []int64
	for _, text := range m.files(controller, name) {
		if number, err := strconv.ParseInt(text, 10, 64); err == nil {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// groups are the directories of a controller from its mount down to this process's own. A container often sees its own
// group as the mount, whatever name /proc gives it; then only the mount is there.
func (m Machine) groups(controller string) []string {
	at := filepath.Join(m.Root, "sys/fs/cgroup", controller)
	directories := []string{at}
	for _, name := range strings.Split(m.group(controller), "/") {
		if name != "" {
			at = filepath.Join(at, name)
			directories = append(directories, at)
		}
	}
	return directories
}

// group is the path that /proc/self/cgroup has for a controller (cgroups(7): ID:CONTROLLERS:PATH).
func (m Machine) group(controller string) string {
	content, err := os.ReadFile(filepath.Join(m.Root, "proc/self/cgroup"))
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(controller, ",")
	for _, line := range strings.Split(string(content), "\n") {
		parts := strings.SplitN(line, ":", 3)
		if len(parts) != 3 {
			continue
		}
		for _, each := range strings.Split(parts[1], ",") {
			if each == first {
				return filepath.Clean("/" + parts[2])
			}
		}
	}
	return ""
}
