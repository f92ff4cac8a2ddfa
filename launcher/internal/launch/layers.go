package launch

import (
	"os"
	"path/filepath"
	"strings"
)

// layer is a directory that a buildpack contributed.
type layer string

// layersOf lists the layers of each buildpack that has any, in order; each buildpack's by name.
func (m metadata) layersOf(root string) ([][]layer, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	var all [][]layer
	for _, each := range m.buildpacks {
		directory := filepath.Join(root, strings.ReplaceAll(each.id, "/", "_"))
		entries, err := entriesOf(directory)
		if err != nil {
			return nil, err
		}
		var mine []layer
		for _, entry := range entries {
			if entry.IsDir() {
				mine = append(mine, layer(filepath.Join(directory, entry.Name())))
			}
		}
		all = append(all, mine)
	}
	return all, nil
}

// entriesOf lists a directory by name; a missing one is empty.
func entriesOf(directory string) ([]os.DirEntry, error) {
	entries, err := os.ReadDir(directory)
	if os.IsNotExist(err) {
		return nil, nil
	}
	return entries, err
}

// files are the entries of a directory in a layer, then those of its sub-directory for a type of process, that are not
// directories themselves.
func (l layer) files(name, kind string) ([]string, error) {
	directories := []string{filepath.Join(string(l), name)}
	if kind != "" {
		directories = append(directories, filepath.Join(string(l), name, kind))
	}
	var files []string
	for _, directory := range directories {
		entries, err := entriesOf(directory)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if !entry.IsDir() {
				files = append(files, filepath.Join(directory, entry.Name()))
			}
		}
	}
	return files, nil
}

// addLayers applies what layers say about the environment: of each buildpack first where programs and libraries are,
// then its variables.
func (env environment) addLayers(all [][]layer, kind string) error {
	for _, mine := range all {
		for _, each := range mine {
			if err := env.prependDirectory("PATH", filepath.Join(string(each), "bin")); err != nil {
				return err
			}
			if err := env.prependDirectory("LD_LIBRARY_PATH", filepath.Join(string(each), "lib")); err != nil {
				return err
			}
		}
		for _, each := range mine {
			names := []string{"env", "env.launch"}
			if kind != "" {
				names = append(names, filepath.Join("env.launch", kind))
			}
			for _, name := range names {
				if err := env.applyDirectory(filepath.Join(string(each), name)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
