package startup

import (
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"slipway/launcher/internal/failure"
	"slipway/launcher/internal/keystore"
)

// systemBundle is where the bases of containers have their certificate authorities.
const systemBundle = "etc/ssl/certs/ca-certificates.crt"

// caCertificates adds what bindings of the type ca-certificates hold to the authorities that OpenSSL and its like trust.
func caCertificates(s *Start) error {
	bound, err := s.boundCertificates()
	if err != nil || len(bound) == 0 {
		return err
	}
	old, err := os.ReadFile(s.bundle())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	directory, err := s.directory("ca-certificates-")
	if err != nil {
		return err
	}
	path := filepath.Join(directory, "ca-certificates.crt")
	content := strings.TrimRight(string(old), "\n")
	if content != "" {
		content += "\n"
	}
	for _, certificate := range bound {
		content += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		return err
	}
	s.say("Added %d additional CA certificate(s) to system truststore", len(bound))
	s.set("SSL_CERT_FILE", path)
	// Node.js has authorities of its own, and looks there for more.
	if s.value("NODE_EXTRA_CA_CERTS", "") == "" {
		s.set("NODE_EXTRA_CA_CERTS", path)
	}
	return nil
}

// bundle is the file of authorities that OpenSSL would read.
func (s *Start) bundle() string {
	return s.value("SSL_CERT_FILE", filepath.Join(s.Machine.Root, systemBundle))
}

func (s *Start) boundCertificates() ([][]byte, error) {
	files, err := s.bindingFiles("ca-certificates")
	if err != nil {
		return nil, err
	}
	var all certificates
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if all.addPem(content) == 0 {
			return nil, failure.New(failure.Generic, "cannot trust the binding "+filepath.Dir(path),
				"there is no PEM certificate in its entry "+filepath.Base(path),
				"put BEGIN CERTIFICATE blocks into each entry of a binding of the type ca-certificates")
		}
	}
	return all.list, nil
}

// containerCertificates are all authorities that this container trusts, each once: those of OpenSSL's file and
// directories, and those of bindings.
func (s *Start) containerCertificates() ([][]byte, error) {
	var all certificates
	content, err := os.ReadFile(s.bundle())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	all.addPem(content)
	for _, directory := range filepath.SplitList(s.value("SSL_CERT_DIR", "")) {
		entries, err := os.ReadDir(directory)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, entry := range entries {
			if !isHashName(entry.Name()) {
				continue
			}
			content, err := os.ReadFile(filepath.Join(directory, entry.Name()))
			if err != nil {
				return nil, err
			}
			all.addPem(content)
		}
	}
	bound, err := s.boundCertificates()
	for _, certificate := range bound {
		all.add(certificate)
	}
	return all.list, err
}

// isHashName is true for the names by which OpenSSL finds authorities in a directory: eight hex digits, a dot, a number.
func isHashName(name string) bool {
	hash, number, found := strings.Cut(name, ".")
	return found && len(hash) == 8 && strings.Trim(hash, "0123456789abcdefABCDEF") == "" &&
		number != "" && strings.Trim(number, "0123456789") == ""
}

// certificates is a list of certificates in DER form, each once.
type certificates struct {
	list  [][]byte
	known map[string]bool
}

func (c *certificates) add(der []byte) {
	if c.known == nil {
		c.known = map[string]bool{}
	}
	if !c.known[string(der)] {
		c.known[string(der)] = true
		c.list = append(c.list, der)
	}
}

// addPem takes the certificates out of a PEM text and returns how many there were.
func (c *certificates) addPem(text []byte) int {
	count := 0
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return count
		}
		if (block.Type == "CERTIFICATE" || block.Type == "X509 CERTIFICATE") && keystore.LooksLikeCertificate(block.Bytes) {
			c.add(block.Bytes)
			count++
		}
	}
}
