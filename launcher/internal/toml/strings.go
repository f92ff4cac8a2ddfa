package toml

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// basic reads the rest of a "string" of one line.
func (r *reader) basic() string {
	var out strings.Builder
	for {
		switch c := r.next(); {
		case c == '"':
			return out.String()
		case c == '\\':
			r.escape(&out)
		case isControl(c) && c != '\t':
			r.fail("control character in a string, or a string without an end")
		default:
			out.WriteByte(c)
		}
	}
}

// literal reads the rest of a 'string' of one line.
func (r *reader) literal() string {
	start := r.at
	for {
		if c := r.next(); c == '\'' {
			return r.text[start : r.at-1]
		} else if isControl(c) && c != '\t' {
			r.fail("control character in a string, or a string without an end")
		}
	}
}

func (r *reader) longBasic() string {
	var out strings.Builder
	r.newline()
	for {
		switch c := r.next(); {
		case c == '"':
			if r.closing('"', &out) {
				return out.String()
			}
		case c == '\\':
			if !r.continued() {
				r.escape(&out)
			}
		default:
			r.long(c, &out)
		}
	}
}

func (r *reader) longLiteral() string {
	var out strings.Builder
	r.newline()
	for {
		if c := r.next(); c != '\'' {
			r.long(c, &out)
		} else if r.closing('\'', &out) {
			return out.String()
		}
	}
}

// long takes one byte of a string of several lines.
func (r *reader) long(c byte, out *strings.Builder) {
	if c == '\r' && r.peek() == '\n' {
		c = r.next()
	} else if isControl(c) && c != '\t' && c != '\n' {
		r.fail("control character in a string")
	}
	out.WriteByte(c)
}

// closing is called after one quote: three end a string, and up to two more before those belong to it.
func (r *reader) closing(quote byte, out *strings.Builder) bool {
	count := 1
	for count < 5 && r.peek() == quote {
		r.at++
		count++
	}
	if count < 3 {
		out.WriteString(strings.Repeat(string(quote), count))
		return false
	}
	out.WriteString(strings.Repeat(string(quote), count-3))
	return true
}

func (r *reader) newline() {
	if !r.take("\n") {
		r.take("\r\n")
	}
}

// continued passes the white space after a backslash that ends a line.
func (r *reader) continued() bool {
	start := r.at
	r.blanks()
	if r.peek() != '\n' && !strings.HasPrefix(r.text[r.at:], "\r\n") {
		r.at = start
		return false
	}
	for {
		before := r.at
		r.blanks()
		r.newline()
		if r.at == before {
			return true
		}
	}
}

func (r *reader) escape(out *strings.Builder) {
	c := r.next()
	if at := strings.IndexByte(`btnfr"\`, c); at >= 0 {
		out.WriteByte("\b\t\n\f\r\"\\"[at])
		return
	}
	length := map[byte]int{'u': 4, 'U': 8}[c]
	if length == 0 || r.at+length > len(r.text) {
		r.fail("unknown escape")
	}
	code, err := strconv.ParseUint(r.text[r.at:r.at+length], 16, 32)
	if err != nil || code > utf8.MaxRune || !utf8.ValidRune(rune(code)) {
		r.fail("unknown escape")
	}
	out.WriteRune(rune(code))
	r.at += length
}

func (r *reader) next() byte {
	if r.ended() {
		r.fail("string without an end")
	}
	r.at++
	return r.text[r.at-1]
}

// Quote writes a basic string that every TOML reader understands.
func Quote(text string) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			out.WriteByte('\\')
			out.WriteRune(c)
		case c < ' ' || c == 0x7f:
			out.WriteString(`\u00` + strconv.FormatInt(int64(c>>4), 16) + strconv.FormatInt(int64(c&15), 16))
		default:
			out.WriteRune(c)
		}
	}
	out.WriteByte('"')
	return out.String()
}
