package startup

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/launcher/internal/failure"
	"slipway/launcher/internal/keystore"
)

func fullText(err error) string { return failure.Text(err) }

func certificate(t *testing.T, name string) (der []byte, text string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true}
	der, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// jks is a truststore that holds certificates.
func jks(t *testing.T, certificates ...[]byte) string {
	store, err := keystore.Read([]byte("\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x00" + strings.Repeat("x", 20)))
	if err != nil {
		t.Fatal(err)
	}
	store.Add(certificates)
	return string(store.Bytes())
}

func TestBindingsBecomeAuthoritiesOfTheContainer(t *testing.T) {
	system, systemText := certificate(t, "system")
	bound, boundText := certificate(t, "bound")
	other, otherText := certificate(t, "other")
	c := newContainer(t, nil, map[string]string{
		systemBundle: systemText,
		"b/one/type": "CA-certificates\n", "b/one/provider": "us", "b/one/.hidden": "x", "b/one/a.pem": boundText,
		"b/one/b.pem": "A comment\n" + boundText + "\n" + otherText, "b/two/type": "maven", "b/two/c.pem": otherText, "b/three/c.pem": "x",
	})
	c.variables["SERVICE_BINDING_ROOT"] = filepath.Join(c.root, "b")
	set, said, err := c.run(t, "ca-certificates")
	if err != nil || said != "Added 2 additional CA certificate(s) to system truststore\n" {
		t.Fatal(said, err)
	}
	path, _ := set["SSL_CERT_FILE"].(string)
	if set["NODE_EXTRA_CA_CERTS"] != path || len(set) != 2 {
		t.Error(set)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all certificates
	if all.addPem(content) != 3 || !all.known[string(system)] || !all.known[string(bound)] || !all.known[string(other)] {
		t.Errorf("%s", content)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o644 {
		t.Error(info.Mode())
	}
}

func TestWithoutBindingsNothingChanges(t *testing.T) {
	for _, root := range []string{"", "/absent", t.TempDir()} {
		set, said, err := newContainer(t, map[string]string{"SERVICE_BINDING_ROOT": root}, nil).run(t, "ca-certificates")
		if len(set) != 0 || said != "" || err != nil {
			t.Error(set, said, err)
		}
	}
}

func TestBindingsWithoutCertificatesAreNamed(t *testing.T) {
	c := newContainer(t, nil, map[string]string{"b/one/type": "ca-certificates", "b/one/key.pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"})
	c.variables["SERVICE_BINDING_ROOT"] = filepath.Join(c.root, "b")
	if _, _, err := c.run(t, "ca-certificates"); err == nil || !strings.Contains(err.Error(), "entry key.pem") {
		t.Error(err)
	}
}

func TestTruststoreGetsWhatIsMissing(t *testing.T) {
	jdk, _ := certificate(t, "jdk")
	system, systemText := certificate(t, "system")
	hashed, hashedText := certificate(t, "hashed")
	bound, boundText := certificate(t, "bound")
	c := newContainer(t, nil, map[string]string{
		systemBundle: systemText, "cacerts": jks(t, jdk, system), "dir/0123abcd.0": hashedText, "dir/ignored.pem": boundText,
		"b/one/type": "ca-certificates", "b/one/x": boundText})
	c.variables["BPI_JVM_CACERTS"] = filepath.Join(c.root, "cacerts")
	c.variables["SSL_CERT_DIR"] = filepath.Join(c.root, "absent") + ":" + filepath.Join(c.root, "dir")
	c.variables["SERVICE_BINDING_ROOT"] = filepath.Join(c.root, "b")
	set, said, err := c.run(t, "java-truststore")
	if err != nil || said != "Adding 3 container CA certificates to JVM truststore\n" {
		t.Fatal(said, err)
	}
	path := strings.TrimPrefix(set["JAVA_TOOL_OPTIONS"].(string), "-Djavax.net.ssl.trustStore=")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	store, err := keystore.Read(content)
	if err != nil || store.Len() != 4 {
		t.Fatal(store, err)
	}
	for _, der := range [][]byte{jdk, system, hashed, bound} {
		if !store.Has(der) {
			t.Error("missing")
		}
	}
	if before, _ := os.ReadFile(c.variables["BPI_JVM_CACERTS"]); string(before) != jks(t, jdk, system) {
		t.Error("the JVM's own truststore was changed")
	}
}

func TestTruststoreStaysWhereNothingIsMissing(t *testing.T) {
	system, systemText := certificate(t, "system")
	c := newContainer(t, nil, map[string]string{systemBundle: systemText, "lib/security/cacerts": jks(t, system)})
	c.variables["JAVA_HOME"] = c.root
	set, said, err := c.run(t, "java-truststore")
	if err != nil || len(set) != 0 || said != "Adding 1 container CA certificates to JVM truststore\n" {
		t.Error(set, said, err)
	}
	c.variables["JAVA_TOOL_OPTIONS"] = "-Djavax.net.ssl.trustStore=/mine"
	if set, _, err := c.run(t, "java-truststore"); err != nil || len(set) != 0 {
		t.Error(set, err)
	}
}

func TestTruststoreFailures(t *testing.T) {
	if _, _, err := newContainer(t, nil, nil).run(t, "java-truststore"); err == nil || !strings.Contains(fullText(err), "BPI_JVM_CACERTS") {
		t.Error(err)
	}
	c := newContainer(t, nil, map[string]string{"cacerts": "nonsense"})
	c.variables["BPI_JVM_CACERTS"] = filepath.Join(c.root, "cacerts")
	if _, _, err := c.run(t, "java-truststore"); err == nil || !strings.Contains(fullText(err), "neither JKS nor PKCS #12") {
		t.Error(err)
	}
}

func TestTruststoreWhereNothingCanBeWritten(t *testing.T) {
	jdk, _ := certificate(t, "jdk")
	_, systemText := certificate(t, "system")
	_, boundText := certificate(t, "bound")
	c := newContainer(t, nil, map[string]string{systemBundle: systemText, "cacerts": jks(t, jdk), "b/one/type": "ca-certificates", "b/one/x": boundText})
	c.variables["BPI_JVM_CACERTS"] = filepath.Join(c.root, "cacerts")
	c.temporary = []string{filepath.Join(c.root, "nowhere")}
	set, said, err := c.run(t, "java-truststore")
	if err != nil || len(set) != 0 || !strings.Contains(said, "WARNING: the JVM keeps to its own truststore") {
		t.Error(set, said, err)
	}
	c.variables["SERVICE_BINDING_ROOT"] = filepath.Join(c.root, "b")
	for _, helper := range []string{"java-truststore", "ca-certificates"} {
		if _, _, err := c.run(t, helper); err == nil || !strings.Contains(fullText(err), "mount a writable /tmp") {
			t.Error(helper, err)
		}
	}
}
