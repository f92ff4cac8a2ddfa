package machine

import (
	"os"
	"path/filepath"
	"testing"
)

func tree(t *testing.T, files map[string]string) Machine {
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return Machine{root, 8}
}

func TestMemory(t *testing.T) {
	for name, row := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"nothing at all":        {nil, 0},
		"version 2":             {map[string]string{"sys/fs/cgroup/memory.max": "536870912\n"}, 512 << 20},
		"version 2, no limit":   {map[string]string{"sys/fs/cgroup/memory.max": "max\n"}, 0},
		"version 1":             {map[string]string{"sys/fs/cgroup/memory/memory.limit_in_bytes": "268435456"}, 256 << 20},
		"version 1, no limit":   {map[string]string{"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712"}, 0},
		"nonsense":              {map[string]string{"sys/fs/cgroup/memory.max": "lots"}, 0},
		"outside the container": {map[string]string{"proc/self/cgroup": "0::/../../x\n", "sys/fs/cgroup/memory.max": "7"}, 7},
		"the smallest of all groups above": {map[string]string{
			"proc/self/cgroup":                   "0::/a/b\n",
			"sys/fs/cgroup/a/memory.max":         "1000",
			"sys/fs/cgroup/a/b/memory.max":       "2000",
			"sys/fs/cgroup/a/b/c/memory.max":     "10",
			"sys/fs/cgroup/elsewhere/memory.max": "10"}, 1000},
		"version 1, own group": {map[string]string{
			"proc/self/cgroup":                                    "3:cpu,cpuacct:/x\n9:memory:/docker/1\n0::/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":          "9223372036854771712",
			"sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes": "5000"}, 5000},
	} {
		got, ok := tree(t, row.files).Memory()
		if got != row.want || ok != (row.want > 0) {
			t.Errorf("%s: %d, %v; want %d", name, got, ok, row.want)
		}
	}
}

func TestProcessors(t *testing.T) {
	for name, row := range map[string]struct {
		files map[string]string
		want  int
	}{
		"nothing at all":       {nil, 8},
		"no quota":             {map[string]string{"sys/fs/cgroup/cpu.max": "max 100000"}, 8},
		"a part counts as one": {map[string]string{"sys/fs/cgroup/cpu.max": "250000 100000"}, 3},
		"less than one":        {map[string]string{"sys/fs/cgroup/cpu.max": "1000 100000"}, 1},
		"more than there are":  {map[string]string{"sys/fs/cgroup/cpu.max": "6400000 100000"}, 8},
		"set":                  {map[string]string{"sys/fs/cgroup/cpuset.cpus.effective": "0-1,5\n"}, 3},
		"empty set":            {map[string]string{"sys/fs/cgroup/cpuset.cpus.effective": "\n"}, 8},
		"version 1": {map[string]string{
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 2},
		"version 1, no quota": {map[string]string{
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 8},
	} {
		if got := tree(t, row.files).Processors(); got != row.want {
			t.Errorf("%s: %d, want %d", name, got, row.want)
		}
	}
	if got := (Machine{t.TempDir(), 0}).Processors(); got != 1 {
		t.Error(got)
	}
}

func TestAvailable(t *testing.T) {
	for text, want := range map[string]int64{
		"MemTotal:  8000 kB\nMemAvailable:  2048 kB\n": 2 << 20,
		"MemTotal:  4096 kB\n":                         4 << 20,
		"MemAvailable: x kB\n":                         0,
		"":                                             0,
	} {
		if got, _ := tree(t, map[string]string{"proc/meminfo": text}).Available(); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
