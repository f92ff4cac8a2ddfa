package startup

import (
	"os"
	"path/filepath"
	"strings"
)

// bindingFiles are the entries of all bindings of a type, by path (Service Binding Specification for Kubernetes).
func (s *Start) bindingFiles(kind string) ([]string, error) {
	root := s.value("SERVICE_BINDING_ROOT", "")
	if root == "" {
		return nil, nil
	}
	bindings, err := os.ReadDir(root)
	if os.IsNotExist(err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var files []string
	for _, binding := range bindings {
		directory := filepath.Join(root, binding.Name())
		found, err := os.ReadFile(filepath.Join(directory, "type"))
		if strings.HasPrefix(binding.Name(), ".") || err != nil || !strings.EqualFold(strings.TrimSpace(string(found)), kind) {
			continue
		}
		entries, err := os.ReadDir(directory)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			path := filepath.Join(directory, entry.Name())
			// Kubernetes keeps the true files in hidden directories, and links to them.
			if strings.HasPrefix(entry.Name(), ".") || entry.Name() == "type" || entry.Name() == "provider" {
				continue
			}
			if info, err := os.Stat(path); err != nil {
				return nil, err
			} else if info.Mode().IsRegular() {
				files = append(files, path)
			}
		}
	}
	return files, nil
}
