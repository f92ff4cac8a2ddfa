package launch

import (
	"reflect"
	"strings"
	"testing"

	"slipway/launcher/internal/failure"
	"slipway/launcher/internal/toml"
)

const example = `
buildpack-default-process-type = "web"
[[buildpacks]]
id = "new/one"
version = "1"
api = "0.12"
[[buildpacks]]
id = "old"
version = "1"
api = "0.8"
[[processes]]
type = "web"
command = ["java", "-jar"]
args = ["app.jar"]
direct = true
buildpack-id = "new/one"
working-dir = "/work"
[[processes]]
type = "one"
command = ["serve"]
args = ["-a"]
direct = true
buildpack-id = "new/one"
[[processes]]
type = "old"
command = "serve it"
args = ["-a"]
direct = false
buildpack-id = "old"
[[processes]]
type = "lost"
command = ["serve"]
args = []
direct = true
buildpack-id = "nobody"
[[processes]]
type = "mode"
command = ["first"]
direct = true
buildpack-id = "new/one"
exec-env = ["test", "staging"]
[[processes]]
type = "mode"
command = ["second"]
direct = true
buildpack-id = "new/one"
exec-env = ["*"]
[[processes]]
type = "never"
command = ["x"]
direct = true
buildpack-id = "new/one"
exec-env = ["test"]
`

func parsed(t *testing.T, text string) metadata {
	document, err := toml.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	m, err := decode(document)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestChoice(t *testing.T) {
	m := parsed(t, example)
	for _, row := range []struct {
		name, args, mode string
		minor            uint64
		want             string // command|args|direct, or empty for a failure
	}{
		{"web", "", "production", 15, "java|-jar app.jar|true"},
		{"web", "x y", "production", 15, "java|-jar x y|true"},
		{"one", "", "production", 15, "serve|-a|true"},
		{"one", "x y", "production", 15, "serve|x y|true"},
		{"old", "", "production", 15, "serve it|-a|false"},
		{"old", "x y", "production", 15, "serve it|-a x y|false"},
		{"lost", "", "production", 15, "serve||true"},
		{"lost", "x", "production", 15, ""},
		{"mode", "", "test", 15, "first||true"},
		{"mode", "", "production", 15, "second||true"},
		{"mode", "", "production", 14, "first||true"},
		{"never", "", "production", 15, ""},
		{"never", "", "production", 14, "x||true"},
		{"launcher", "", "production", 15, ""},
		{"launcher", "-- echo hi", "production", 15, "echo|hi|true"},
		{"launcher", "echo hi", "production", 15, "echo|hi|false"},
		{"launcher", "--", "production", 15, "--||false"},
		{"launcher", "web", "production", 15, "web||false"},
	} {
		got, err := m.choose(row.name, strings.Fields(row.args), version{0, row.minor}, row.mode)
		text := ""
		if err == nil {
			text = strings.Join(got.command, ",") + "|" + strings.Join(got.args, " ") + "|" + map[bool]string{true: "true", false: "false"}[got.direct]
		} else if failure.Code(err) != failure.Launch {
			t.Errorf("%v: exit code %d", row, failure.Code(err))
		}
		if text != row.want {
			t.Errorf("%v: %q (%v)", row, text, err)
		}
	}
	if again, _ := m.choose("web", nil, version{0, 15}, ""); !reflect.DeepEqual(again.args, []string{"-jar", "app.jar"}) {
		t.Error("choosing changed what there is to choose from:", again.args)
	}
}

func TestVersions(t *testing.T) {
	for text, want := range map[string]bool{"0.15": true, "v0.12": true, "0.11": false, "0.16": false, "1.15": false, "0": false,
		"": false, " ": false, "x": false, "0.12.1": false, "0.-12": false, "99999999999999999999.1": false} {
		if _, err := checkPlatform(text); (err == nil) != want || err != nil && failure.Code(err) != failure.PlatformAPI {
			t.Errorf("%q: %v", text, err)
		}
	}
	for api, want := range map[string]bool{"0.7": true, "0.12": true, "0.6": false, "0.13": false, "": false} {
		err := checkBuildpacks([]buildpack{{"a", api}})
		if (err == nil) != want || err != nil && failure.Code(err) != failure.BuildpackAPI {
			t.Errorf("%q: %v", api, err)
		}
	}
}

func TestWrongTypesAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"processes = 1":                                  "processes is not an array",
		"processes = [1]":                                "processes[0] is not a table",
		"[[processes]]\ntype = 1":                        "processes[0].type is not a string",
		"[[processes]]\ncommand = 1":                     "processes[0].command is not an array",
		"[[processes]]\nargs = [\"a\", 1]":               "processes[0].args has something in it that is not a string",
		"[[processes]]\n[[processes]]\ndirect = \"yes\"": "processes[1].direct is not a boolean",
		"[[buildpacks]]\nid = 1":                         "buildpacks[0].id is not a string",
	} {
		document, err := toml.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decode(document); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestScript(t *testing.T) {
	want := "source \"/l/a\\$\\\"b\"\nsource \".profile\"\ncd \"/app\"\nexec bash -c \"$@\""
	if got := script([]string{`/l/a$"b`, ".profile"}, "/app", 0); got != want {
		t.Errorf("%q", got)
	}
	want = "cd \"/app\"\nexec bash -c '\"$(eval echo \\\"$0\\\")\" \"$(eval echo \\\"${1}\\\")\" \"$(eval echo \\\"${2}\\\")\"' \"${@:1}\""
	if got := script(nil, "/app", 2); got != want {
		t.Errorf("%q", got)
	}
}
