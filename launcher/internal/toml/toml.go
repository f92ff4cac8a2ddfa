// Package toml reads TOML 1.0 into plain values. It is strict, never panics, and names the line of a mistake.
package toml

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Moment is a date, a time or both, as it was written. The launcher needs none, but a document may hold one.
type Moment string

// deepest is how far values may nest, and how many parts a key may have.
const deepest = 64

// Error is a mistake in a document.
type Error struct {
	Line int
	Why  string
}

func (e *Error) Error() string { return "line " + strconv.Itoa(e.Line) + ": " + e.Why }

// Parse reads a document. Values are string, int64, float64, bool, Moment, []any and map[string]any.
func Parse(text string) (result map[string]any, err error) {
	r := &reader{text: text}
	defer func() {
		if caught := recover(); caught != nil {
			why, ok := caught.(mistake)
			if !ok {
				panic(caught)
			}
			result, err = nil, &Error{1 + strings.Count(text[:min(r.at, len(text))], "\n"), string(why)}
		}
	}()
	if !utf8.ValidString(text) {
		r.fail("not UTF-8")
	}
	return r.document(), nil
}

type mistake string

type reader struct {
	text  string
	at    int
	depth int
}

func (r *reader) fail(why string) { panic(mistake(why)) }

// peek is the next byte, or 0 at the end; a byte 0 in the text is not allowed anywhere.
func (r *reader) peek() byte {
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

func (r *reader) ended() bool { return r.at >= len(r.text) }

func (r *reader) take(token string) bool {
	if strings.HasPrefix(r.text[r.at:], token) {
		r.at += len(token)
		return true
	}
	return false
}

func (r *reader) need(token string) {
	if !r.take(token) {
		r.fail("expected " + strconv.Quote(token))
	}
}

func (r *reader) blanks() {
	for r.peek() == ' ' || r.peek() == '\t' {
		r.at++
	}
}

// comment passes a comment, if one begins here.
func (r *reader) comment() {
	if r.peek() != '#' {
		return
	}
	for !r.ended() && r.peek() != '\n' && !strings.HasPrefix(r.text[r.at:], "\r\n") {
		if isControl(r.peek()) && r.peek() != '\t' {
			r.fail("control character in a comment")
		}
		r.at++
	}
}

// space passes blanks, comments and ends of lines.
func (r *reader) space() {
	for {
		start := r.at
		r.blanks()
		r.comment()
		if !r.take("\n") {
			r.take("\r\n")
		}
		if r.at == start {
			return
		}
	}
}

func (r *reader) endOfLine() {
	r.blanks()
	r.comment()
	if !r.ended() && !r.take("\n") && !r.take("\r\n") {
		r.fail("more on the line than one value")
	}
}

func isControl(c byte) bool { return c < ' ' || c == 0x7f }
