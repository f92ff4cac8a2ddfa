package startup

import "strings"

const javaToolOptions = "JAVA_TOOL_OPTIONS"

// options are the words that every Java program reads first from JAVA_TOOL_OPTIONS.
func (s *Start) options() []string { return words(s.value(javaToolOptions, "")) }

// words splits a text as the JVM does: at white space, unless it stands in single or double quotes.
func words(text string) []string {
	var list []string
	var word strings.Builder
	begun, quote := false, rune(0)
	for _, c := range text {
		switch {
		case c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, begun = c, true
		case strings.ContainsRune(" \t\n\v\f\r", c):
			if begun {
				list = append(list, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(c)
			begun = true
		}
	}
	if begun {
		list = append(list, word.String())
	}
	return list
}

// find is the last option that begins so, as the JVM lets the last one win.
func (s *Start) find(prefixes ...string) (string, bool) {
	list := s.options()
	for at := len(list) - 1; at >= 0; at-- {
		for _, prefix := range prefixes {
			if strings.HasPrefix(list[at], prefix) {
				return list[at], true
			}
		}
	}
	return "", false
}

// add appends options to JAVA_TOOL_OPTIONS, each after one blank. Those that are there already are not added again.
func (s *Start) add(options ...string) {
	text, known := s.changes[javaToolOptions]
	if !known {
		text = s.value(javaToolOptions, "")
	}
	text = strings.TrimRight(text, " \t\n\v\f\r")
	present := map[string]bool{}
	for _, each := range words(text) {
		present[each] = true
	}
	for _, option := range options {
		if present[option] {
			continue
		}
		present[option] = true
		if text != "" {
			text += " "
		}
		text += quoted(option)
	}
	s.set(javaToolOptions, text)
}

// quoted writes one option so that the JVM reads it as one word.
func quoted(option string) string {
	if !strings.ContainsAny(option, " \t\n\v\f\r\"'") {
		return option
	}
	if !strings.Contains(option, `"`) {
		return `"` + option + `"`
	}
	if !strings.Contains(option, `'`) {
		return `'` + option + `'`
	}
	return `"` + strings.ReplaceAll(option, `"`, `"'"'"`) + `"`
}
