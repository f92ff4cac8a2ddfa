package toml

import (
	"reflect"
	"strings"
	"testing"
)

func TestValues(t *testing.T) {
	for text, want := range map[string]map[string]any{
		"a.b = \"x\\u00e9\" # c\r\n": {"a": map[string]any{"b": "xé"}},
		"[[p]]\nc = [\"a\", 'b',\n# x\n]\nd = true\n[[p]]\nn = {x.y = -3}": {"p": []any{
			map[string]any{"c": []any{"a", "b"}, "d": true},
			map[string]any{"n": map[string]any{"x": map[string]any{"y": int64(-3)}}}}},
		"a = \"\"\"\nx\\\n   y \"\" z\"\"\"\"":       {"a": "xy \"\" z\""},
		"a = '''\n\\x\n'q'''''":                      {"a": "\\x\n'q''"},
		"a = 0xdead_beef\nb = +1_0\nc = 1e2\nd = .5": nil,
		"a = 0xdead_beef\nb = +1_0\nc = 1e2":         {"a": int64(0xdeadbeef), "b": int64(10), "c": 100.0},
		"d = 1979-05-27 07:32:00Z\nt = 07:32:00.5":   {"d": Moment("1979-05-27 07:32:00Z"), "t": Moment("07:32:00.5")},
		"[a.b]\n[a]\nc = 1\n[a.b.d]": {"a": map[string]any{
			"b": map[string]any{"d": map[string]any{}}, "c": int64(1)}},
		"\"\" = 1\n'a.b' = 2": {"": int64(1), "a.b": int64(2)},
	} {
		got, err := Parse(text)
		if want == nil && err == nil || want != nil && (err != nil || !reflect.DeepEqual(got, want)) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestMistakesNameTheirLine(t *testing.T) {
	for _, bad := range []string{
		"a", "a=", "a=1\na=2", "[x", "a=\"", "a=\"\\", "a=1 b=2", "a=\"\\uD800\"", "a=\xff", "[a]\n[a]", "a={b=1,}",
		"a={}\na.b=1", "a={}\n[a.b]", "a=[1]\n[[a]]", "a.b=1\n[a]", "[a.b.c]\n[a]\nb.c.d=1", "a=01", "a=1__0", "a=1_e2",
		"a=0x", "a=0X1", "a=+0x1", "a=2021-02-29", "a=24:00:00", "a=\"\x00\"", "#\x01", "a=1\r", "a=inf2", "a='x\ny'",
		"a=" + strings.Repeat("[", 100), strings.Repeat("a.", 100) + "a=1",
	} {
		if _, err := Parse("\n" + bad); err == nil {
			t.Errorf("accepted %q", bad)
		} else if !strings.HasPrefix(err.Error(), "line ") {
			t.Error(err)
		}
	}
	if _, err := Parse("a = 1\nb = ?"); err == nil || err.Error() != "line 2: not a value" {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a.b=[1,{c='x'}]\n[[t]]\n")
	f.Add("a=\"\"\"\\\n x\"\"\"\nb=1979-05-27T07:32:00-07:00\nc=1e-3")
	f.Fuzz(func(t *testing.T, text string) { Parse(text) })
}

func FuzzQuote(f *testing.F) {
	f.Add("a\"\\\n\x00\x7fé")
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "?")
		got, err := Parse("a = " + Quote(text))
		if err != nil || got["a"] != text {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	})
}
