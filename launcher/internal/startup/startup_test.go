package startup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/launcher/internal/machine"
	"slipway/launcher/internal/toml"
)

// container is a made-up container: variables, and files below a root.
type container struct {
	root      string
	variables map[string]string
	affinity  int
	temporary []string
}

func newContainer(t *testing.T, variables, files map[string]string) container {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if variables == nil {
		variables = map[string]string{}
	}
	return container{root, variables, 4, []string{filepath.Join(root, "nowhere"), root}}
}

// run returns what a helper sets and what it prints.
func (c container) run(t *testing.T, name string) (map[string]any, string, error) {
	t.Helper()
	var out strings.Builder
	output, err := Run(name, Start{
		Look:      func(name string) (string, bool) { value, ok := c.variables[name]; return value, ok },
		Out:       &out,
		Machine:   machine.Machine{Root: c.root, Affinity: c.affinity},
		Temporary: c.temporary,
	})
	if err != nil {
		return nil, out.String(), err
	}
	set, err := toml.Parse(output)
	if err != nil {
		t.Fatalf("%q: %v", output, err)
	}
	return set, out.String(), nil
}

func TestNames(t *testing.T) {
	for path, want := range map[string]string{
		"/layers/x/y/exec.d/memory-calculator":         "memory-calculator",
		"/layers/x/y/exec.d/10-memory-calculator":      "memory-calculator",
		"/layers/x/y/exec.d/web/3-java-opts":           "java-opts",
		"/layers/x/y/exec.d/debug-9":                   "debug",
		"/layers/x/y/exec.d/helper":                    "helper",
		"exec.d/openssl-certificate-loader":            "java-truststore",
		"/layers/x/y/exec.d/a-memory-calculator":       "a-memory-calculator",
		"/cnb/process/web":                             "",
		"/cnb/lifecycle/launcher":                      "",
		"launcher":                                     "",
		"memory-calculator":                            "",
		"/layers/exec.d/some/deeper/memory-calculator": "",
	} {
		if got, ok := Name(path); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v", path, got, ok)
		}
	}
	if _, _, err := newContainer(t, nil, nil).run(t, "nonsense"); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Error(err)
	}
}

// Each row starts with variables, and names what JAVA_TOOL_OPTIONS is afterwards ("-": not set at all).
func TestSwitches(t *testing.T) {
	const bindings = "-Dorg.springframework.cloud.bindings.boot.enable="
	for _, row := range []struct {
		helper    string
		variables map[string]string
		want      string
		says      string
	}{
		{"active-processor-count", nil, "-XX:ActiveProcessorCount=4", "Setting Active Processor Count to 4\n"},
		{"active-processor-count", map[string]string{"JAVA_TOOL_OPTIONS": "-Dx "}, "-Dx -XX:ActiveProcessorCount=4", "Setting Active Processor Count to 4\n"},
		{"active-processor-count", map[string]string{"JAVA_TOOL_OPTIONS": "-XX:ActiveProcessorCount=2"}, "-", ""},
		{"jvm-out-of-memory", nil, "-XX:+ExitOnOutOfMemoryError", ""},
		{"jvm-out-of-memory", map[string]string{"JAVA_TOOL_OPTIONS": "a -XX:-ExitOnOutOfMemoryError"}, "-", ""},
		{"java-opts", nil, "-", ""},
		{"java-opts", map[string]string{"JAVA_OPTS": "-Da -Db"}, "-Da -Db", "Adding $JAVA_OPTS to $JAVA_TOOL_OPTIONS\n"},
		{"java-opts", map[string]string{"JAVA_OPTS": "-Da", "JAVA_TOOL_OPTIONS": "-Db"}, "-Db -Da", "Adding $JAVA_OPTS to $JAVA_TOOL_OPTIONS\n"},
		{"java-opts", map[string]string{"JAVA_OPTS": "-Da", "JAVA_TOOL_OPTIONS": "-Db -Da"}, "-", ""},
		{"spring-cloud-bindings", nil, bindings + "true", "Spring Cloud Bindings Enabled\n"},
		{"spring-cloud-bindings", map[string]string{"BPL_SPRING_CLOUD_BINDINGS_DISABLED": "true"}, bindings + "false", ""},
		{"spring-cloud-bindings", map[string]string{"BPL_SPRING_CLOUD_BINDINGS_DISABLED": "false"}, bindings + "true", "Spring Cloud Bindings Enabled\n"},
		{"spring-cloud-bindings", map[string]string{"BPL_SPRING_CLOUD_BINDINGS_ENABLED": "false"}, bindings + "false",
			"WARNING: BPL_SPRING_CLOUD_BINDINGS_ENABLED is deprecated. Use BPL_SPRING_CLOUD_BINDINGS_DISABLED instead\n"},
		{"spring-cloud-bindings", map[string]string{"JAVA_TOOL_OPTIONS": bindings + "false"}, "-", ""},
		{"spring-performance", nil, "-", ""},
		{"spring-performance", map[string]string{"BPL_SPRING_AOT_ENABLED": "true"}, "-Dspring.aot.enabled=true",
			"Spring AOT Enabled, contributing -Dspring.aot.enabled=true to JAVA_TOOL_OPTIONS\n"},
		{"nmt", nil, "-XX:+UnlockDiagnosticVMOptions -XX:NativeMemoryTracking=summary -XX:+PrintNMTStatistics", "Enabling Java Native Memory Tracking\n"},
		{"nmt", map[string]string{"BPL_JAVA_NMT_ENABLED": "no"}, "-", "Disabling Java Native Memory Tracking\n"},
		{"jmx", nil, "-", ""},
		{"jmx", map[string]string{"BPL_JMX_ENABLED": "true", "BPL_JMX_PORT": "7"},
			"-Djava.rmi.server.hostname=127.0.0.1 -Dcom.sun.management.jmxremote.authenticate=false -Dcom.sun.management.jmxremote.ssl=false " +
				"-Dcom.sun.management.jmxremote.port=7 -Dcom.sun.management.jmxremote.rmi.port=7", "JMX enabled on port 7\n"},
		{"debug", nil, "-", ""},
		{"debug", map[string]string{"BPL_DEBUG_ENABLED": "1", "BPL_DEBUG_SUSPEND": "1"},
			"-agentlib:jdwp=transport=dt_socket,server=y,address=0.0.0.0:8000,suspend=y", "Debugging enabled on address 0.0.0.0:8000, suspended on start\n"},
		{"jfr", map[string]string{"BPL_JFR_ENABLED": "true", "BPL_JFR_ARGS": "a=b"}, "-XX:StartFlightRecording=a=b", "Enabling Java Flight Recorder with args: a=b\n"},
		{"jvm-heap", nil, "-", ""},
	} {
		set, said, err := newContainer(t, row.variables, nil).run(t, row.helper)
		got, ok := set["JAVA_TOOL_OPTIONS"].(string)
		if !ok {
			got = "-"
		}
		if err != nil || got != row.want || said != row.says {
			t.Errorf("%s %v: %q %q %v, want %q", row.helper, row.variables, got, said, err, row.want)
		}
	}
}

func TestDebugListensOnEveryAddressWhereThereIsIPv6(t *testing.T) {
	c := newContainer(t, map[string]string{"BPL_DEBUG_ENABLED": "true"}, map[string]string{"sys/module/ipv6/parameters/disable": "0\n"})
	set, _, err := c.run(t, "debug")
	if err != nil || set["JAVA_TOOL_OPTIONS"] != "-agentlib:jdwp=transport=dt_socket,server=y,address=*:8000,suspend=n" {
		t.Error(set, err)
	}
}

func TestBadSettingsAreNamed(t *testing.T) {
	c := newContainer(t, map[string]string{"BPL_DEBUG_ENABLED": "true", "BPL_DEBUG_PORT": "http"}, nil)
	if _, _, err := c.run(t, "debug"); err == nil || !strings.Contains(err.Error(), `BPL_DEBUG_PORT is "http"`) {
		t.Error(err)
	}
}

func TestWordsAreThoseOfTheJVM(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "",
		"  ":                "",
		" -a  -b\t-c\n":     "-a|-b|-c",
		`-a="x y" 'z "' ""`: `-a=x y|z "|`,
		`-a'b'"c"`:          "-abc",
		`"open`:             "open",
	} {
		if got := strings.Join(words(text), "|"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for _, option := range []string{"-a", "-a b", `-a "b`, `-a 'b`, `-a 'b" c`} {
		if got := words(quoted(option)); len(got) != 1 || got[0] != option {
			t.Errorf("%q: %q", option, got)
		}
	}
}

func TestHeapDump(t *testing.T) {
	c := newContainer(t, nil, nil)
	path := filepath.Join(c.root, "a/b")
	c.variables["BPL_HEAP_DUMP_PATH"] = path
	set, _, err := c.run(t, "jvm-heap")
	if err != nil || set["JAVA_TOOL_OPTIONS"] != "-XX:+HeapDumpOnOutOfMemoryError -XX:HeapDumpPath="+path {
		t.Error(set, err)
	}
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		t.Error(err)
	}
}
