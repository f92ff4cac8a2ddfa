package startup

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMemory(t *testing.T) {
	const limit = "sys/fs/cgroup/memory.max"
	counted := func(more map[string]string) map[string]string {
		all := map[string]string{"BPL_JVM_LOADED_CLASS_COUNT": "14777", "BPL_JVM_THREAD_COUNT": "50"}
		for name, value := range more {
			all[name] = value
		}
		return all
	}
	for name, row := range map[string]struct {
		variables, files map[string]string
		want, says       string
	}{
		"one gibibyte, version 2": {counted(nil), map[string]string{limit: "1073741824"},
			"-XX:MaxDirectMemorySize=10M -Xmx644006K -XX:MaxMetaspaceSize=97369K -XX:ReservedCodeCacheSize=240M -Xss1M",
			"(Total Memory: 1G, Thread Count: 50, Loaded Class Count: 14777, Headroom: 0%)\n"},
		"head room": {counted(map[string]string{"BPL_JVM_HEAD_ROOM": "10"}), map[string]string{limit: "1073741824"},
			"-XX:MaxDirectMemorySize=10M -Xmx539148K -XX:MaxMetaspaceSize=97369K -XX:ReservedCodeCacheSize=240M -Xss1M", "Headroom: 10%)"},
		"old name of the head room": {counted(map[string]string{"BPL_JVM_HEADROOM": "10"}), map[string]string{limit: "1073741824"},
			"-XX:MaxDirectMemorySize=10M -Xmx539148K -XX:MaxMetaspaceSize=97369K -XX:ReservedCodeCacheSize=240M -Xss1M", "deprecated"},
		"no limit": {counted(nil), map[string]string{"proc/meminfo": "MemAvailable: 2097152 kB\n"},
			"-XX:MaxDirectMemorySize=10M -Xmx1692582K -XX:MaxMetaspaceSize=97369K -XX:ReservedCodeCacheSize=240M -Xss1M",
			"Calculating JVM memory based on 2G available memory\n"},
		"nothing known": {counted(nil), nil,
			"-XX:MaxDirectMemorySize=10M -Xmx644006K -XX:MaxMetaspaceSize=97369K -XX:ReservedCodeCacheSize=240M -Xss1M",
			"WARNING: Unable to determine memory limit. Configuring JVM for 1G container.\n"},
		"too much": {counted(nil), map[string]string{limit: "1152921504606846976"},
			"-XX:MaxDirectMemorySize=10M -Xmx68719072166K -XX:MaxMetaspaceSize=97369K -XX:ReservedCodeCacheSize=240M -Xss1M",
			"WARNING: Container memory limit too large. Configuring JVM for 64T container.\n"},
		"the user's heap": {counted(map[string]string{"JAVA_TOOL_OPTIONS": "-Xmx100m -Xmx256m"}), map[string]string{limit: "1073741824"},
			"-Xmx100m -Xmx256m -XX:MaxDirectMemorySize=10M -XX:MaxMetaspaceSize=97369K -XX:ReservedCodeCacheSize=240M -Xss1M", "Configuration: -XX:MaxDirect"},
		"the user's everything": {counted(map[string]string{"JAVA_TOOL_OPTIONS": "-Xmx100m -Xss2m -XX:MaxMetaspaceSize=64m -XX:ReservedCodeCacheSize=32m -XX:MaxDirectMemorySize=1k"}),
			map[string]string{limit: "536870912"},
			"-Xmx100m -Xss2m -XX:MaxMetaspaceSize=64m -XX:ReservedCodeCacheSize=32m -XX:MaxDirectMemorySize=1k", "Total Memory: 512M"},
		"a share of the memory for the heap": {counted(map[string]string{"JAVA_TOOL_OPTIONS": "-XX:MaxRAMPercentage=25"}), map[string]string{limit: "1073741824"},
			"-XX:MaxRAMPercentage=25 -XX:MaxDirectMemorySize=10M -XX:MaxMetaspaceSize=97369K -XX:ReservedCodeCacheSize=240M -Xss1M", ""},
	} {
		set, said, err := newContainer(t, row.variables, row.files).run(t, "memory-calculator")
		if err != nil || set["JAVA_TOOL_OPTIONS"] != row.want || !strings.Contains(said, row.says) {
			t.Errorf("%s: %v\n%s%v", name, set, said, err)
		}
	}
}

func TestMemoryThatIsTooSmall(t *testing.T) {
	for name, row := range map[string]struct {
		variables map[string]string
		limit     string
		says      []string
	}{
		"threads": {map[string]string{"BPL_JVM_LOADED_CLASS_COUNT": "10000"}, "536870912", []string{
			"it needs at least 571M and there is 512M", "-Xss1M * 250 threads", "give the container 571M", "BPL_JVM_THREAD_COUNT (now 250) to 191 or less"}},
		"head room": {map[string]string{"BPL_JVM_LOADED_CLASS_COUNT": "10000", "BPL_JVM_HEAD_ROOM": "50"}, "1073741824", []string{
			"at least 1142M", "512M head room", "BPL_JVM_HEAD_ROOM (now 50)"}},
		"everything": {map[string]string{"BPL_JVM_LOADED_CLASS_COUNT": "10000"}, "134217728", []string{"-XX:ReservedCodeCacheSize=240M"}},
		"heap": {map[string]string{"BPL_JVM_LOADED_CLASS_COUNT": "10000", "JAVA_TOOL_OPTIONS": "-Xmx1g"}, "1073741824", []string{
			"-Xmx1G", "lower the heap in JAVA_TOOL_OPTIONS to"}},
	} {
		_, _, err := newContainer(t, row.variables, map[string]string{"sys/fs/cgroup/memory.max": row.limit}).run(t, "memory-calculator")
		if err == nil {
			t.Fatal(name)
		}
		text := fullText(err)
		for _, part := range row.says {
			if !strings.Contains(text, part) {
				t.Errorf("%s: no %q in\n%s", name, part, text)
			}
		}
	}
}

func archive(t *testing.T, method uint16, files map[string][]byte) []byte {
	var buffer bytes.Buffer
	writer := zip.NewWriter(&buffer)
	for name, content := range files {
		file, err := writer.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		file.Write(content)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func TestClassesAreCountedInArchivesAndOnceDeeper(t *testing.T) {
	inner := archive(t, zip.Deflate, map[string][]byte{"x/A.class": nil, "x/B.class": nil, "x/C.txt": nil, "d.jar": nil})
	deepest := archive(t, zip.Store, map[string][]byte{"inner.jar": inner})
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		outer := archive(t, method, map[string][]byte{"BOOT-INF/lib/i.jar": inner, "M.class": nil, "deep.jar": deepest, "no.jar": []byte("x")})
		c := newContainer(t, nil, map[string]string{"app/a.class": "", "app/lib/o.jar": string(outer), "app/broken.jar": "PK", "app/g.groovy": "",
			"app/dir.jar/b.class": "", "app/t.txt": ""})
		if count, err := countClasses(filepath.Join(c.root, "app")); count != 2+1+2+1 || err != nil {
			t.Error(method, count, err)
		}
	}
	if count, err := countClasses(filepath.Join(t.TempDir(), "absent")); count != 0 || err == nil {
		t.Error(count, err)
	}
}

func TestLoadedClasses(t *testing.T) {
	agent := archive(t, zip.Deflate, map[string][]byte{"A.class": nil, "B.class": nil})
	c := newContainer(t, nil, map[string]string{"app/a.class": "", "agent.jar": string(agent), "sys/fs/cgroup/memory.max": "1073741824"})
	c.variables["BPI_APPLICATION_PATH"] = filepath.Join(c.root, "app")
	c.variables["BPI_JVM_CLASS_COUNT"] = "1000"
	for adjustment, want := range map[string]string{"": "350", "200%": "700", "1000": "700", "50%": "175"} {
		c.variables["BPL_JVM_CLASS_ADJUSTMENT"] = adjustment
		_, said, err := c.run(t, "memory-calculator")
		if err != nil || !strings.Contains(said, "Loaded Class Count: "+want+",") {
			t.Error(adjustment, said, err)
		}
	}
	c.variables["JAVA_TOOL_OPTIONS"] = "-javaagent:" + filepath.Join(c.root, "agent.jar") + "=x:y"
	c.variables["BPL_JVM_CLASS_ADJUSTMENT"] = "100%"
	if _, said, err := c.run(t, "memory-calculator"); err != nil || !strings.Contains(said, "Loaded Class Count: 351,") {
		t.Error(said, err)
	}
	for _, bad := range []string{"x", "-5%", "%"} {
		c.variables["BPL_JVM_CLASS_ADJUSTMENT"] = bad
		if _, _, err := c.run(t, "memory-calculator"); err == nil || !strings.Contains(err.Error(), "BPL_JVM_CLASS_ADJUSTMENT") {
			t.Error(bad, err)
		}
	}
	delete(c.variables, "BPI_JVM_CLASS_COUNT")
	if _, _, err := c.run(t, "memory-calculator"); err == nil || !strings.Contains(fullText(err), "set BPL_JVM_LOADED_CLASS_COUNT") {
		t.Error(err)
	}
}

func TestUnreadableDirectoriesAreSaid(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	c := newContainer(t, nil, map[string]string{"app/d/a.class": "", "app/b.class": ""})
	os.Chmod(filepath.Join(c.root, "app/d"), 0)
	defer os.Chmod(filepath.Join(c.root, "app/d"), 0o755)
	if count, err := countClasses(filepath.Join(c.root, "app")); count != 1 || err == nil {
		t.Error(count, err)
	}
}

func TestSizes(t *testing.T) {
	for bytes, text := range map[int64]string{0: "0", 1023: "0", 1024: "1K", mebi: "1M", mebi + kibi: "1025K", 3 * gibi: "3G", 2 * tebi: "2T", mebi + 5: "1M"} {
		if got := sizeText(bytes); got != text {
			t.Errorf("%d: %s, want %s", bytes, got, text)
		}
	}
	for text, want := range map[string]int64{"1": 1, "2k": 2048, "3M": 3 * mebi, "4g": 4 * gibi, "1T": tebi, "": -1, "k": -1, "-1": -1,
		"1.5g": -1, "1kb": -1, "9999999999T": -1, "+1": -1} {
		got, ok := parseSize(text)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
