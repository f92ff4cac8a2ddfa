package keystore

import "errors"

// Object identifiers, in their DER form.
const (
	oidData        = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"         // 1.2.840.113549.1.7.1
	oidEncrypted   = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06"         // 1.2.840.113549.1.7.6
	oidBag         = "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x03" // 1.2.840.113549.1.12.10.1.3
	oidCertificate = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x16\x01"     // 1.2.840.113549.1.9.22.1
)

var (
	errNeither   = errors.New("it is neither JKS nor PKCS #12")
	errEncrypted = errors.New("it is a PKCS #12 file with encryption, which only Java can read")
)

// readPKCS12 finds the certificates of a file that is not encrypted (RFC 7292).
func readPKCS12(content []byte) ([][]byte, error) {
	whole, _, ok := next(content)
	if !ok || whole.tag != sequence {
		return nil, errNeither
	}
	parts, ok := whole.children()
	if !ok || len(parts) < 2 {
		return nil, errNeither
	}
	safes, err := dataOf(parts[1])
	if err != nil {
		return nil, err
	}
	var found [][]byte
	for _, safe := range safes {
		bags, err := dataOf(safe)
		if err != nil {
			return nil, err
		}
		for _, bag := range bags {
			if certificate := certificateIn(bag); certificate != nil {
				found = append(found, certificate)
			}
		}
	}
	return found, nil
}

// dataOf opens a ContentInfo whose content is data, and in that a sequence.
func dataOf(info element) ([]element, error) {
	value, kind := tagged(info)
	if kind == oidEncrypted {
		return nil, errEncrypted
	}
	inner, rest, ok := next(value)
	if kind != oidData || !ok || len(rest) > 0 || inner.tag != octetString {
		return nil, errDamaged
	}
	list, rest, ok := next(inner.content)
	if !ok || len(rest) > 0 || list.tag != sequence {
		return nil, errDamaged
	}
	children, ok := list.children()
	if !ok {
		return nil, errDamaged
	}
	return children, nil
}

// tagged opens a sequence of an object identifier and a value under the tag [0].
func tagged(e element) (value []byte, kind string) {
	parts, ok := e.children()
	if !ok || e.tag != sequence || len(parts) < 2 || parts[0].tag != objectID || parts[1].tag != explicit0 {
		return nil, ""
	}
	return parts[1].content, string(parts[0].content)
}

func certificateIn(bag element) []byte {
	value, kind := tagged(bag)
	inner, _, ok := next(value)
	if kind != oidBag || !ok {
		return nil
	}
	value, kind = tagged(inner)
	der, _, ok := next(value)
	if kind != oidCertificate || !ok || der.tag != octetString || !LooksLikeCertificate(der.content) {
		return nil
	}
	return der.content
}
