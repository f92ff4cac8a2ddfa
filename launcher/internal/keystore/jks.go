package keystore

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
)

// seal is the last 20 bytes of a JKS (sun.security.provider.JavaKeyStore): SHA-1 over the password in UTF-16, the words
// "Mighty Aphrodite" and all that comes before.
func seal(content []byte, password string) []byte {
	hash := sha1.New()
	for _, c := range []byte(password) {
		hash.Write([]byte{0, c})
	}
	hash.Write([]byte("Mighty Aphrodite"))
	hash.Write(content)
	return hash.Sum(nil)
}

func readJKS(content []byte) (*Store, error) {
	r := &reader{content: content, at: 4}
	version, count := r.number(), r.number()
	if version != 1 && version != 2 || count > mostEntries {
		return nil, fmt.Errorf("it is a JKS of version %d with %d entries", version, count)
	}
	store := newStore()
	for at := 0; at < count && !r.short; at++ {
		start := r.at
		tag := r.number()
		alias := string(r.take(r.half()))
		r.take(8)
		switch tag {
		case 1:
			r.take(r.number())
			for chain := r.number(); chain > 0 && !r.short; chain-- {
				r.certificate(version)
			}
		case trusted:
			store.known[string(r.certificate(version))] = true
		default:
			return nil, fmt.Errorf("it has an entry of the unknown kind %d", tag)
		}
		store.aliases[alias] = true
		store.entries = append(store.entries, r.content[start:r.at])
	}
	if r.short || len(content)-r.at != sha1.Size {
		return nil, errDamaged
	}
	if version == 1 {
		return nil, fmt.Errorf("it is a JKS of version 1, which Java 1.1 wrote")
	}
	return store, nil
}

type reader struct {
	content []byte
	at      int
	short   bool
}

func (r *reader) take(length int) []byte {
	if length < 0 || length > len(r.content)-r.at {
		r.short = true
		return nil
	}
	r.at += length
	return r.content[r.at-length : r.at]
}

func (r *reader) number() int {
	if four := r.take(4); four != nil {
		return int(binary.BigEndian.Uint32(four))
	}
	return 0
}

func (r *reader) half() int {
	if two := r.take(2); two != nil {
		return int(binary.BigEndian.Uint16(two))
	}
	return 0
}

func (r *reader) certificate(version int) []byte {
	if version == 2 {
		r.take(r.half())
	}
	return r.take(r.number())
}
