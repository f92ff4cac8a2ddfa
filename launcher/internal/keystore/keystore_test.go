package keystore

import (
	"bytes"
	"strings"
	"testing"
)

// der makes one value of a DER encoding.
func der(tag byte, parts ...string) string {
	content := strings.Join(parts, "")
	if len(content) < 0x80 {
		return string([]byte{tag, byte(len(content))}) + content
	}
	return string([]byte{tag, 0x82, byte(len(content) >> 8), byte(len(content))}) + content
}

// certificate has the outline of one.
func certificate(name string) []byte {
	field := der(2, "\x01")
	return []byte(der(sequence, der(sequence, field, field, field, field, field, der(12, name)), der(sequence), der(3, "\x00")))
}

func TestJKSRoundTrip(t *testing.T) {
	store := newStore()
	if store.Add([][]byte{certificate("a"), certificate("b"), certificate("a")}) != 2 {
		t.Fatal(store)
	}
	again, err := Read(store.Bytes())
	if err != nil || again.Len() != 2 || !again.Has(certificate("a")) || again.Has(certificate("c")) {
		t.Fatal(again, err)
	}
	if again.Add([][]byte{certificate("b"), certificate("c")}) != 1 {
		t.Error("added twice")
	}
	if third, err := Read(again.Bytes()); err != nil || third.Len() != 3 || len(third.aliases) != 3 {
		t.Error(third, err)
	}
	if !bytes.Equal(store.Bytes()[:12], []byte("\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x02")) {
		t.Error("not as Java writes it")
	}
}

func TestDamageIsNoticed(t *testing.T) {
	store := newStore()
	store.Add([][]byte{certificate("a")})
	whole := store.Bytes()
	for end := 0; end < len(whole); end++ {
		if _, err := Read(whole[:end]); err == nil {
			t.Errorf("accepted the first %d bytes", end)
		}
	}
	if _, err := Read(append(bytes.Clone(whole), 0)); err == nil {
		t.Error("accepted one byte more")
	}
}

func pkcs12(kind, bagKind, content string) []byte {
	bag := der(sequence, der(objectID, bagKind), der(explicit0, der(sequence, der(objectID, oidCertificate), der(explicit0, der(octetString, content)))))
	safe := der(sequence, der(objectID, kind), der(explicit0, der(octetString, der(sequence, bag))))
	whole := der(sequence, der(objectID, oidData), der(explicit0, der(octetString, der(sequence, safe))))
	return []byte(der(sequence, der(2, "\x03"), whole))
}

func TestPKCS12(t *testing.T) {
	store, err := Read(pkcs12(oidData, oidBag, string(certificate("a"))))
	if err != nil || store.Len() != 1 || !store.Has(certificate("a")) {
		t.Error(store, err)
	}
	if _, err := Read(pkcs12(oidEncrypted, oidBag, string(certificate("a")))); err != errEncrypted {
		t.Error(err)
	}
	if store, err := Read(pkcs12(oidData, oidBag, "rubbish")); err != nil || store.Len() != 0 {
		t.Error(store, err)
	}
	for _, bad := range []string{"", "x", der(sequence), der(sequence, der(2, "\x03"), der(sequence))} {
		if _, err := Read([]byte(bad)); err == nil {
			t.Errorf("accepted %q", bad)
		}
	}
}

func FuzzRead(f *testing.F) {
	store := newStore()
	store.Add([][]byte{certificate("a")})
	f.Add(store.Bytes())
	f.Add(pkcs12(oidData, oidBag, string(certificate("a"))))
	f.Fuzz(func(t *testing.T, content []byte) {
		if store, err := Read(content); err == nil {
			if _, err := Read(store.Bytes()); err != nil {
				t.Error(err)
			}
		}
	})
}
