package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// parseToml reads a subset of TOML: tables, arrays of tables, dotted and quoted keys, strings of one line,
// booleans, decimal integers, arrays and inline tables. Anything else is an error that names the line.
func parseToml(text string) (result map[string]any, err error) {
	r := &reader{text: text}
	defer func() {
		failure, ok := recover().(tomlError)
		if !ok && result == nil {
			failure = "cannot be read"
		}
		if failure != "" {
			r.at = min(r.at, len(r.text))
			result, err = nil, fmt.Errorf("line %d: %s", 1+strings.Count(text[:r.at], "\n"), string(failure))
		}
	}()
	if !utf8.ValidString(text) {
		panic(tomlError("not UTF-8"))
	}
	return r.document(), nil
}

type tomlError string

type reader struct {
	text  string
	at    int
	depth int
}

func (r *reader) peek() byte {
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

func (r *reader) take(token string) bool {
	if strings.HasPrefix(r.text[r.at:], token) {
		r.at += len(token)
		return true
	}
	return false
}

func (r *reader) need(token string) {
	if !r.take(token) {
		panic(tomlError("expected " + strconv.Quote(token)))
	}
}

func (r *reader) skip(set string, comments bool) {
	for r.at < len(r.text) {
		if comments && r.peek() == '#' {
			for r.at < len(r.text) && r.peek() != '\n' {
				r.at++
			}
		} else if strings.IndexByte(set, r.peek()) >= 0 {
			r.at++
		} else {
			return
		}
	}
}

func (r *reader) endOfLine() {
	r.skip(" \t\r", true)
	if r.at < len(r.text) && !r.take("\n") {
		panic(tomlError("more on the line than one value"))
	}
}

func (r *reader) document() map[string]any {
	root := map[string]any{}
	current := root
	for {
		r.skip(" \t\r\n", true)
		if r.at == len(r.text) {
			return root
		}
		if r.take("[[") {
			keys := r.keys()
			r.need("]]")
			parent, name := descend(root, keys[:len(keys)-1]), keys[len(keys)-1]
			list, ok := parent[name].([]any)
			if !ok && parent[name] != nil {
				panic(tomlError("defined twice: " + name))
			}
			current = map[string]any{}
			parent[name] = append(list, current)
		} else if r.take("[") {
			current = descend(root, r.keys())
			r.need("]")
		} else {
			r.pair(current)
		}
		r.endOfLine()
	}
}

func (r *reader) pair(table map[string]any) {
	keys := r.keys()
	r.need("=")
	r.skip(" \t", false)
	table, name := descend(table, keys[:len(keys)-1]), keys[len(keys)-1]
	if _, ok := table[name]; ok {
		panic(tomlError("defined twice: " + name))
	}
	table[name] = r.value()
}

// descend walks to a table below another, through the last element of any array of tables.
func descend(table map[string]any, keys []string) map[string]any {
	for _, key := range keys {
		switch next := table[key].(type) {
		case nil:
			child := map[string]any{}
			table[key] = child
			table = child
		case map[string]any:
			table = next
		case []any:
			child, ok := map[string]any(nil), false
			if len(next) > 0 {
				child, ok = next[len(next)-1].(map[string]any)
			}
			if !ok {
				panic(tomlError("not a table: " + key))
			}
			table = child
		default:
			panic(tomlError("not a table: " + key))
		}
	}
	return table
}

func (r *reader) keys() (keys []string) {
	for {
		r.skip(" \t", false)
		if c := r.peek(); c == '"' || c == '\'' {
			keys = append(keys, r.quoted())
		} else {
			start := r.at
			r.skip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", false)
			if start == r.at {
				panic(tomlError("expected a key"))
			}
			keys = append(keys, r.text[start:r.at])
		}
		r.skip(" \t", false)
		if !r.take(".") {
			return keys
		}
	}
}

func (r *reader) value() any {
	if r.depth++; r.depth > 64 {
		panic(tomlError("nested too deeply"))
	}
	defer func() { r.depth-- }()
	switch c := r.peek(); {
	case c == '"' || c == '\'':
		return r.quoted()
	case r.take("["):
		list := []any{}
		for {
			if r.skip(" \t\r\n", true); r.take("]") {
				return list
			}
			list = append(list, r.value())
			if r.skip(" \t\r\n", true); !r.take(",") {
				r.need("]")
				return list
			}
		}
	case r.take("{"):
		table := map[string]any{}
		if r.skip(" \t", false); r.take("}") {
			return table
		}
		for {
			r.pair(table)
			if r.skip(" \t", false); !r.take(",") {
				r.need("}")
				return table
			}
		}
	case r.take("true"):
		return true
	case r.take("false"):
		return false
	}
	start := r.at
	r.skip("+-0123456789", false)
	number, err := strconv.ParseInt(r.text[start:r.at], 10, 64)
	if err != nil {
		panic(tomlError("not a value that is understood"))
	}
	return number
}

func (r *reader) quoted() string {
	quote := r.peek()
	if r.take(`"""`) || r.take(`'''`) {
		panic(tomlError("strings of several lines are not understood"))
	}
	r.at++
	var out strings.Builder
	for r.at < len(r.text) {
		c := r.text[r.at]
		r.at++
		switch {
		case c == quote:
			return out.String()
		case c == '\n':
			panic(tomlError("string without an end"))
		case c == '\\' && quote == '"':
			r.escape(&out)
		default:
			out.WriteByte(c)
		}
	}
	panic(tomlError("string without an end"))
}

func (r *reader) escape(out *strings.Builder) {
	c := r.peek()
	r.at++
	if at := strings.IndexByte(`btnfr"\`, c); at >= 0 && c != 0 {
		out.WriteByte("\b\t\n\f\r\"\\"[at])
		return
	}
	length := map[byte]int{'u': 4, 'U': 8}[c]
	if length == 0 || r.at+length > len(r.text) {
		r.at = min(r.at, len(r.text))
		panic(tomlError("unknown escape"))
	}
	code, err := strconv.ParseUint(r.text[r.at:r.at+length], 16, 32)
	if err != nil || !utf8.ValidRune(rune(code)) {
		panic(tomlError("unknown escape"))
	}
	out.WriteRune(rune(code))
	r.at += length
}
