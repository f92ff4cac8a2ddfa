package main

import (
	"reflect"
	"testing"
)

func TestToml(t *testing.T) {
	got, err := parseToml("a.b = \"x\\u00e9\" # c\n[[p]]\ncommand = [\"a\", 'b',\n]\ndirect = true\n[[p]]\nn = {x = -3}\n")
	want := map[string]any{"a": map[string]any{"b": "xé"}, "p": []any{
		map[string]any{"command": []any{"a", "b"}, "direct": true}, map[string]any{"n": map[string]any{"x": int64(-3)}}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatal(got, err)
	}
	for _, bad := range []string{"a", "a=", "a=1\na=2", "[x", "a=\"", "a=\"\\", "a=1 b=2", "a=\"\\uD800\"", "a=\xff"} {
		if _, err := parseToml(bad); err == nil {
			t.Errorf("accepted %q", bad)
		}
	}
}

func FuzzToml(f *testing.F) {
	f.Add("a.b=[1,{c='x'}]\n[[t]]\n")
	f.Fuzz(func(t *testing.T, text string) { parseToml(text) })
}
