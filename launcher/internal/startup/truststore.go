package startup

import (
	"os"
	"path/filepath"

	"slipway/launcher/internal/failure"
	"slipway/launcher/internal/keystore"
)

// javaTruststore lets the JVM trust what the container trusts. The JVM's own truststore stays as it is: where something
// is missing in it, a copy with more certificates takes its place. Where nothing can be written, only what bindings ask for is
// worth a failure.
func javaTruststore(s *Start) error {
	const option = "-Djavax.net.ssl.trustStore="
	if own, set := s.find(option); set {
		s.say("JVM truststore left alone, as JAVA_TOOL_OPTIONS has %s", own)
		return nil
	}
	place := s.value("BPI_JVM_CACERTS", "")
	if home := s.value("JAVA_HOME", ""); place == "" && home != "" {
		place = filepath.Join(home, "lib/security/cacerts")
	}
	if place == "" {
		return failure.New(failure.Generic, "cannot find the JVM truststore", "neither BPI_JVM_CACERTS nor JAVA_HOME is set",
			"set BPI_JVM_CACERTS to the cacerts file of the JVM")
	}
	trusted, err := s.containerCertificates()
	if err != nil {
		return err
	}
	content, err := os.ReadFile(place)
	if err != nil {
		return err
	}
	store, err := keystore.Read(content)
	if err != nil {
		return failure.New(failure.Generic, "cannot read the JVM truststore "+place, err.Error(),
			"set BPI_JVM_CACERTS to a JKS file, or name a truststore with "+option+"FILE in JAVA_TOOL_OPTIONS")
	}
	asked, err := s.boundCertificates()
	if err != nil {
		return err
	}
	wanted := store.Missing(asked) > 0
	s.say("Adding %d container CA certificates to JVM truststore", len(trusted))
	if store.Add(trusted) == 0 {
		return nil
	}
	directory, err := s.directory("truststore-")
	if err != nil && !wanted {
		s.say("WARNING: the JVM keeps to its own truststore, as nothing can be written in this container")
		return nil
	} else if err != nil {
		return err
	}
	path := filepath.Join(directory, "cacerts")
	if err := os.WriteFile(path, store.Bytes(), 0o644); err != nil {
		return err
	}
	s.add(option + path)
	return nil
}
