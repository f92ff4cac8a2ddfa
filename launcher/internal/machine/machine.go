// Package machine asks the kernel what a container may use: control groups of both versions, affinity, memory.
package machine

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Machine is what a process can see of the machine. Root is "/", or in tests a directory that looks like it.
type Machine struct {
	Root string
	// Affinity is how many processors the scheduler may use for this process.
	Affinity int
}

// Memory is the smallest limit that any control group above this process sets, in bytes.
func (m Machine) Memory() (int64, bool) {
	limits := m.numbers("", "memory.max")
	limits = append(limits, m.numbers("memory", "memory.limit_in_bytes")...)
	smallest := int64(0)
	for _, limit := range limits {
		// Version 1 writes the largest number of whole pages where there is no limit.
		if limit > 0 && limit < 1<<62 && (smallest == 0 || limit < smallest) {
			smallest = limit
		}
	}
	return smallest, smallest > 0
}

// Available is the memory that the kernel could give out without swapping, in bytes.
func (m Machine) Available() (int64, bool) {
	content, err := os.ReadFile(filepath.Join(m.Root, "proc/meminfo"))
	if err != nil {
		return 0, false
	}
	for _, name := range []string{"MemAvailable:", "MemTotal:"} {
		_, rest, found := strings.Cut("\n"+string(content), "\n"+name)
		line, _, _ := strings.Cut(rest, "\n")
		words := strings.Fields(line)
		if !found || len(words) != 2 || words[1] != "kB" {
			continue
		}
		if number, err := strconv.ParseInt(words[0], 10, 50); err == nil {
			return number * 1024, true
		}
	}
	return 0, false
}

// Processors is how many processors this process can keep busy at once; a part of one counts as one.
func (m Machine) Processors() int {
	count := max(1, m.Affinity)
	for _, text := range m.files("", "cpu.max") {
		quota, period, _ := strings.Cut(text, " ")
		count = lower(count, quota, period)
	}
	for _, controller := range []string{"cpu", "cpu,cpuacct"} {
		quotas, periods := m.files(controller, "cpu.cfs_quota_us"), m.files(controller, "cpu.cfs_period_us")
		for at := 0; at < min(len(quotas), len(periods)); at++ {
			count = lower(count, quotas[at], periods[at])
		}
	}
	for _, text := range append(m.files("", "cpuset.cpus.effective"), m.files("cpuset", "cpuset.effective_cpus")...) {
		if listed := countList(text); listed > 0 {
			count = min(count, listed)
		}
	}
	return count
}

func lower(count int, quota, period string) int {
	time, err := strconv.ParseInt(quota, 10, 64)
	whole, err2 := strconv.ParseInt(period, 10, 64)
	if err != nil || err2 != nil || time <= 0 || whole <= 0 {
		return count
	}
	return int(min(int64(count), (time-1)/whole+1))
}

// countList counts a list such as 0-3,7.
func countList(text string) int {
	count := 0
	for _, part := range strings.Split(text, ",") {
		first, last, ranged := strings.Cut(part, "-")
		if !ranged {
			last = first
		}
		from, err := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err != nil || err2 != nil || to < from {
			return 0
		}
		count += to - from + 1
	}
	return count
}
