package toml

func (r *reader) keys() []string {
	var keys []string
	for {
		r.blanks()
		keys = append(keys, r.key())
		if len(keys) > deepest {
			r.fail("nested too deeply")
		}
		r.blanks()
		if !r.take(".") {
			return keys
		}
	}
}

func (r *reader) key() string {
	switch c := r.peek(); c {
	case '"':
		r.at++
		return r.basic()
	case '\'':
		r.at++
		return r.literal()
	}
	start := r.at
	for isBare(r.peek()) {
		r.at++
	}
	if start == r.at {
		r.fail("expected a key")
	}
	return r.text[start:r.at]
}

func isBare(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

func (r *reader) value() any {
	if r.depth++; r.depth > deepest {
		r.fail("nested too deeply")
	}
	defer func() { r.depth-- }()
	switch {
	case r.take(`"""`):
		return r.longBasic()
	case r.take(`'''`):
		return r.longLiteral()
	case r.take(`"`):
		return r.basic()
	case r.take(`'`):
		return r.literal()
	case r.take("["):
		return r.array()
	case r.take("{"):
		return r.inline()
	}
	return r.scalar()
}

func (r *reader) array() []any {
	list := []any{}
	for {
		if r.space(); r.take("]") {
			return list
		}
		list = append(list, r.value())
		if r.space(); !r.take(",") {
			r.need("]")
			return list
		}
	}
}
