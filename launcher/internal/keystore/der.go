package keystore

// element is one value of a DER encoding (ITU-T X.690).
type element struct {
	tag     byte
	content []byte
}

const (
	octetString = 0x04
	objectID    = 0x06
	sequence    = 0x30
	explicit0   = 0xa0
)

// next takes one value off the front. Lengths are definite, and tags one byte, in all that certificates are made of.
func next(from []byte) (first element, rest []byte, ok bool) {
	if len(from) < 2 || from[0]&0x1f == 0x1f {
		return element{}, nil, false
	}
	length, at := int(from[1]), 2
	if length >= 0x80 {
		count := length & 0x7f
		if count == 0 || count > 4 || len(from) < at+count {
			return element{}, nil, false
		}
		length = 0
		for _, c := range from[at : at+count] {
			length = length<<8 | int(c)
		}
		at += count
	}
	if length > len(from)-at {
		return element{}, nil, false
	}
	return element{from[0], from[at : at+length]}, from[at+length:], true
}

// children are the values inside a constructed one.
func (e element) children() ([]element, bool) {
	var list []element
	for rest := e.content; len(rest) > 0; {
		child, more, ok := next(rest)
		if !ok {
			return nil, false
		}
		list, rest = append(list, child), more
	}
	return list, true
}

// LooksLikeCertificate is true for a sequence of three values, the first a sequence, that fills all bytes (RFC 5280,
// 4.1). It keeps rubbish out; whether a certificate holds is for those who verify with it.
func LooksLikeCertificate(der []byte) bool {
	whole, rest, ok := next(der)
	if !ok || len(rest) > 0 || whole.tag != sequence {
		return false
	}
	parts, ok := whole.children()
	if !ok || len(parts) != 3 || parts[0].tag != sequence {
		return false
	}
	fields, ok := parts[0].children()
	return ok && len(fields) >= 6
}
