package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLauncherDirectoriesLeavePathWhereverTheyStand(t *testing.T) {
	env := launchEnvironment([]string{"PATH=/a:/cnb/process:/b:/cnb/lifecycle", "CNB_APP_DIR=/x", "CNB_EXEC_ENV=test"})
	if env["PATH"] != "/a:/b" || env["CNB_EXEC_ENV"] != "test" {
		t.Fatal(env)
	}
	if _, ok := env["CNB_APP_DIR"]; ok {
		t.Fatal(env)
	}
}

func TestActions(t *testing.T) {
	for _, row := range []struct{ file, old, want string }{
		{"A", "o", "v"}, {"A.override", "o", "v"}, {"A.default", "o", "o"}, {"A.default", "", "v"},
		{"A.append", "o", "o,v"}, {"A.append", "", "v"}, {"A.prepend", "o", "v,o"}, {"A.prepend", "", "v"},
		{"A.append.x", "o", "o"},
	} {
		directory := t.TempDir()
		os.WriteFile(filepath.Join(directory, row.file), []byte("v"), 0o600)
		os.WriteFile(filepath.Join(directory, "A.delim"), []byte(","), 0o600)
		env := environment{"A": row.old}
		if err := env.applyDirectory(directory); err != nil || env["A"] != row.want {
			t.Errorf("%s on %q: %q, want %q (%v)", row.file, row.old, env["A"], row.want, err)
		}
	}
}
