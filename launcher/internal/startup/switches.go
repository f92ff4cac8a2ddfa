package startup

import (
	"os"
	"path/filepath"
	"strings"
)

func activeProcessorCount(s *Start) error {
	if _, set := s.find("-XX:ActiveProcessorCount="); set {
		return nil
	}
	count := s.Machine.Processors()
	s.say("Setting Active Processor Count to %d", count)
	s.add("-XX:ActiveProcessorCount=" + itoa(int64(count)))
	return nil
}

// javaOpts hands JAVA_OPTS to programs that do not look at it.
func javaOpts(s *Start) error {
	more := strings.TrimSpace(s.value("JAVA_OPTS", ""))
	old := strings.TrimSpace(s.value(javaToolOptions, ""))
	if more == "" || strings.Contains(" "+old+" ", " "+more+" ") {
		return nil
	}
	s.say("Adding $JAVA_OPTS to $JAVA_TOOL_OPTIONS")
	s.set(javaToolOptions, strings.TrimSpace(old+" "+more))
	return nil
}

// outOfMemory ends a JVM that ran out of memory, so that whoever runs the container notices.
func outOfMemory(s *Start) error {
	if _, set := s.find("-XX:+ExitOnOutOfMemoryError", "-XX:-ExitOnOutOfMemoryError", "-XX:+CrashOnOutOfMemoryError"); !set {
		s.add("-XX:+ExitOnOutOfMemoryError")
	}
	return nil
}

func springCloudBindings(s *Start) error {
	const option = "-Dorg.springframework.cloud.bindings.boot.enable="
	if _, set := s.find(option); set {
		return nil
	}
	old, given := s.Look("BPL_SPRING_CLOUD_BINDINGS_ENABLED")
	if given {
		s.say("WARNING: BPL_SPRING_CLOUD_BINDINGS_ENABLED is deprecated. Use BPL_SPRING_CLOUD_BINDINGS_DISABLED instead")
	}
	if s.enabled("BPL_SPRING_CLOUD_BINDINGS_DISABLED") || given && old != "" && !s.enabled("BPL_SPRING_CLOUD_BINDINGS_ENABLED") {
		s.add(option + "false")
		return nil
	}
	s.say("Spring Cloud Bindings Enabled")
	s.add(option + "true")
	return nil
}

// springPerformance turns on what a build prepared: ahead-of-time code of Spring, and the JVM's own archives.
func springPerformance(s *Start) error {
	if s.enabled("BPL_SPRING_AOT_ENABLED") {
		s.say("Spring AOT Enabled, contributing -Dspring.aot.enabled=true to JAVA_TOOL_OPTIONS")
		s.add("-Dspring.aot.enabled=true")
	}
	if !s.enabled("BPL_JVM_CDS_ENABLED") && !s.enabled("BPL_JVM_AOTCACHE_ENABLED") {
		return nil
	}
	for _, each := range [][2]string{{"application.jsa", "-XX:SharedArchiveFile="}, {"application.aot", "-XX:AOTCache="}} {
		if _, err := os.Stat(filepath.Join(s.value("BPI_APPLICATION_PATH", "."), each[0])); err == nil {
			s.say("Contributing %s%s to JAVA_TOOL_OPTIONS", each[1], each[0])
			s.add(each[1] + each[0])
			return nil
		}
	}
	s.say("WARNING: there is neither application.jsa nor application.aot, so the JVM starts without an archive")
	return nil
}

func nativeMemoryTracking(s *Start) error {
	if value, set := s.Look("BPL_JAVA_NMT_ENABLED"); set && value != "" && !s.enabled("BPL_JAVA_NMT_ENABLED") {
		s.say("Disabling Java Native Memory Tracking")
		return nil
	}
	if _, set := s.find("-XX:NativeMemoryTracking="); set {
		return nil
	}
	level := s.value("BPL_JAVA_NMT_LEVEL", "summary")
	s.say("Enabling Java Native Memory Tracking")
	s.add("-XX:+UnlockDiagnosticVMOptions", "-XX:NativeMemoryTracking="+level, "-XX:+PrintNMTStatistics")
	// Before Java 18 the JVM of process 1 looks for its level there (JDK-8256844).
	s.set("NMT_LEVEL_1", level)
	return nil
}

func managementExtensions(s *Start) error {
	if !s.enabled("BPL_JMX_ENABLED") {
		return nil
	}
	port, err := s.number("BPL_JMX_PORT", 5000, 1, 65535)
	if err != nil {
		return err
	}
	s.say("JMX enabled on port %d", port)
	const remote = "-Dcom.sun.management.jmxremote."
	s.add("-Djava.rmi.server.hostname=127.0.0.1", remote+"authenticate=false", remote+"ssl=false",
		remote+"port="+itoa(int64(port)), remote+"rmi.port="+itoa(int64(port)))
	return nil
}

func debug(s *Start) error {
	if !s.enabled("BPL_DEBUG_ENABLED") {
		return nil
	}
	if _, set := s.find("-agentlib:jdwp="); set {
		s.say("Java agent 'jdwp' already configured")
		return nil
	}
	port, err := s.number("BPL_DEBUG_PORT", 8000, 1, 65535)
	if err != nil {
		return err
	}
	host := "0.0.0.0"
	if off, err := os.ReadFile(filepath.Join(s.Machine.Root, "sys/module/ipv6/parameters/disable")); err == nil &&
		strings.HasPrefix(string(off), "0") {
		host = "*"
	}
	suspend, suffix := "n", ""
	if s.enabled("BPL_DEBUG_SUSPEND") {
		suspend, suffix = "y", ", suspended on start"
	}
	address := host + ":" + itoa(int64(port))
	s.say("Debugging enabled on address %s%s", address, suffix)
	s.add("-agentlib:jdwp=transport=dt_socket,server=y,address=" + address + ",suspend=" + suspend)
	return nil
}

func flightRecorder(s *Start) error {
	if !s.enabled("BPL_JFR_ENABLED") {
		return nil
	}
	standard := "dumponexit=true,filename=" + filepath.Join(s.Temporary[0], "recording.jfr")
	arguments := s.value("BPL_JFR_ARGS", standard)
	s.say("Enabling Java Flight Recorder with args: %s", arguments)
	s.add("-XX:StartFlightRecording=" + arguments)
	return nil
}

func heapDump(s *Start) error {
	path := s.value("BPL_HEAP_DUMP_PATH", "")
	if path == "" {
		return nil
	}
	// The JVM does not make the directory, and then the dump is lost.
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	if _, set := s.find("-XX:+HeapDumpOnOutOfMemoryError"); !set {
		s.say("Enabling HeapDumpOnOutOfMemoryError")
		s.add("-XX:+HeapDumpOnOutOfMemoryError")
	}
	if _, set := s.find("-XX:HeapDumpPath="); !set {
		s.say("Setting HeapDumpPath to %s", path)
		s.add("-XX:HeapDumpPath=" + path)
	}
	return nil
}
