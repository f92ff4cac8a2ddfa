package launch

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func write(t *testing.T, root string, files map[string]string) string {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(root, name)
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestLauncherDirectoriesLeavePathWhereverTheyStand(t *testing.T) {
	env := launchEnvironment([]string{"PATH=/a:/cnb/process:/b:/cnb/lifecycle:", "CNB_APP_DIR=/x", "CNB_EXEC_ENV=test", "odd"})
	if want := (environment{"PATH": "/a:/b:", "CNB_EXEC_ENV": "test"}); !reflect.DeepEqual(env, want) {
		t.Fatal(env)
	}
}

// The rows are shared with the lifecycle, which applies the same rules during a build.
func TestSharedVectors(t *testing.T) {
	content, err := os.ReadFile("../../../test/vectors/environment.json")
	if err != nil {
		t.Skip("the vectors are not here:", err)
	}
	var vectors struct {
		Directories []struct {
			Name, Unsuffixed     string
			Before, Files, After map[string]string
		}
	}
	if err := json.Unmarshal(content, &vectors); err != nil || len(vectors.Directories) < 20 {
		t.Fatal(err)
	}
	for _, row := range vectors.Directories {
		if row.Unsuffixed == "default" {
			continue
		}
		t.Run(row.Name, func(t *testing.T) {
			env := environment(row.Before)
			if err := env.applyDirectory(write(t, t.TempDir(), row.Files)); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(map[string]string(env), row.After) {
				t.Errorf("%q, want %q", env, row.After)
			}
		})
	}
}

func TestDirectoriesAreSkippedAndLinksFollowed(t *testing.T) {
	directory := write(t, t.TempDir(), map[string]string{"sub/A": "no", "real/B": "yes"})
	os.Symlink("sub", filepath.Join(directory, "C"))
	os.Symlink("real/B", filepath.Join(directory, "B"))
	env := environment{}
	if err := env.applyDirectory(directory); err != nil || !reflect.DeepEqual(env, environment{"B": "yes"}) {
		t.Error(env, err)
	}
	os.Symlink("nowhere", filepath.Join(directory, "D"))
	if err := env.applyDirectory(directory); err == nil {
		t.Error("a link that leads nowhere was passed over")
	}
}

func TestLayers(t *testing.T) {
	root := write(t, t.TempDir(), map[string]string{
		"x_1/a/bin/p": "", "x_1/b/bin/p": "", "x_1/b/lib/l": "", "x_1/a/env/V": "a", "x_1/b/env.launch/V.append": "b",
		"x_1/b/env.launch/web/V.append": "w", "x_1/a/env.build/V": "no", "y/z/bin/p": "", "y/z/env/PATH.append": ":end",
		"other/o/bin/p": "", "x_1/file": "",
	})
	os.Symlink("a", filepath.Join(root, "x_1/link"))
	m := metadata{buildpacks: []buildpack{{"x/1", "0.12"}, {"absent", "0.12"}, {"y", "0.12"}}}
	all, err := m.layersOf(root)
	if err != nil {
		t.Fatal(err)
	}
	for kind, last := range map[string]string{"": "ab", "web": "abw"} {
		env := environment{"PATH": "/bin"}
		if err := env.addLayers(all, kind); err != nil {
			t.Fatal(err)
		}
		want := environment{"PATH": root + "/y/z/bin:" + root + "/x_1/b/bin:" + root + "/x_1/a/bin:/bin:end", "V": last,
			"LD_LIBRARY_PATH": root + "/x_1/b/lib"}
		if !reflect.DeepEqual(env, want) {
			t.Errorf("%q: %q, want %q", kind, env, want)
		}
	}
}
