// Package keystore reads Java truststores and writes them as JKS, which Java 8 and newer read.
package keystore

import (
	"encoding/binary"
	"errors"
	"strconv"
)

// Store is a truststore in memory.
type Store struct {
	entries [][]byte // as they are written
	aliases map[string]bool
	known   map[string]bool // certificates in DER form
}

const (
	magic           = 0xfeedfeed
	trusted         = 2 // the tag of a certificate; 1 is that of a private key
	mostEntries     = 100_000
	certificateKind = "X.509"
)

func newStore() *Store { return &Store{aliases: map[string]bool{}, known: map[string]bool{}} }

// Read takes a truststore: JKS, or PKCS #12 without encryption, which is what JDKs carry. Nobody checks the seal over a JKS
// without a password, and a truststore has none worth the name.
func Read(content []byte) (*Store, error) {
	if len(content) >= 4 && binary.BigEndian.Uint32(content) == magic {
		return readJKS(content)
	}
	certificates, err := readPKCS12(content)
	if err != nil {
		return nil, err
	}
	store := newStore()
	store.Add(certificates)
	return store, nil
}

// Len is how many entries there are.
func (s *Store) Len() int { return len(s.entries) }

// Has is true if a certificate is in the store.
func (s *Store) Has(der []byte) bool { return s.known[string(der)] }

// Missing is how many of the certificates are not in the store.
func (s *Store) Missing(certificates [][]byte) int {
	count := 0
	for _, der := range certificates {
		if !s.Has(der) {
			count++
		}
	}
	return count
}

// Add adds certificates that are not there yet, and returns how many those were.
func (s *Store) Add(certificates [][]byte) int {
	count, number := 0, len(s.entries)
	for _, der := range certificates {
		if s.Has(der) {
			continue
		}
		alias := ""
		for alias == "" || s.aliases[alias] {
			number++
			alias = "container-ca-" + strconv.Itoa(number)
		}
		entry := binary.BigEndian.AppendUint32(nil, trusted)
		entry = appendText(entry, alias)
		entry = binary.BigEndian.AppendUint64(entry, 0)
		entry = appendText(entry, certificateKind)
		entry = binary.BigEndian.AppendUint32(entry, uint32(len(der)))
		s.entries = append(s.entries, append(entry, der...))
		s.aliases[alias], s.known[string(der)] = true, true
		count++
	}
	return count
}

// Bytes is the store as JKS, sealed with the password that Java programs expect of a truststore.
func (s *Store) Bytes() []byte {
	content := binary.BigEndian.AppendUint32(nil, magic)
	content = binary.BigEndian.AppendUint32(content, 2)
	content = binary.BigEndian.AppendUint32(content, uint32(len(s.entries)))
	for _, entry := range s.entries {
		content = append(content, entry...)
	}
	return append(content, seal(content, "changeit")...)
}

func appendText(to []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint16(to, uint16(len(text))), text...)
}

var errDamaged = errors.New("it is damaged")
