package startup

import (
	"fmt"
	"strings"

	"slipway/launcher/internal/failure"
)

const (
	standardThreads = 250
	mostMemory      = 64 * tebi
)

// memoryCalculator divides the memory of the container among the regions of the JVM.
func memoryCalculator(s *Start) error {
	headRoom, err := s.headRoom()
	if err != nil {
		return err
	}
	threads, err := s.number("BPL_JVM_THREAD_COUNT", standardThreads, 1, 1_000_000)
	if err != nil {
		return err
	}
	classes, err := s.loadedClasses()
	if err != nil {
		return err
	}
	total := s.totalMemory()
	parts := regionsOf(s.options(), classes, total)
	room := int64(float64(headRoom) / 100 * float64(total))
	left := total - parts.fixed(threads) - room
	if !parts.heap.user {
		if left < smallestHeap {
			return tooSmall(parts, threads, total, room, headRoom)
		}
		parts.heap.bytes = left
	} else if left < parts.heap.bytes {
		return tooSmall(parts, threads, total, room, headRoom)
	}
	options := parts.calculated()
	s.say("Calculated JVM Memory Configuration: %s (Total Memory: %s, Thread Count: %d, Loaded Class Count: %d, Headroom: %d%%)",
		strings.Join(options, " "), sizeText(total), threads, classes, headRoom)
	s.add(options...)
	return nil
}

func (s *Start) headRoom() (int, error) {
	_, newer := s.Look("BPL_JVM_HEAD_ROOM")
	if _, older := s.Look("BPL_JVM_HEADROOM"); older && !newer {
		s.say("WARNING: BPL_JVM_HEADROOM is deprecated and will be removed, please switch to BPL_JVM_HEAD_ROOM")
		return s.number("BPL_JVM_HEADROOM", 0, 0, 99)
	}
	return s.number("BPL_JVM_HEAD_ROOM", 0, 0, 99)
}

func (s *Start) totalMemory() int64 {
	total, known := s.Machine.Memory()
	if !known {
		if total, known = s.Machine.Available(); known {
			s.say("Calculating JVM memory based on %s available memory", sizeText(total))
		}
	}
	switch {
	case !known:
		s.say("WARNING: Unable to determine memory limit. Configuring JVM for 1G container.")
		return gibi
	case total > mostMemory:
		s.say("WARNING: Container memory limit too large. Configuring JVM for 64T container.")
		return mostMemory
	}
	return total
}

// tooSmall says how much memory would do, and what else can be changed.
func tooSmall(parts regions, threads int, total, room int64, headRoom int) error {
	heap := smallestHeap
	if parts.heap.user {
		heap = parts.heap.bytes
	}
	// The head room is a share of whatever the container gets.
	need := float64(parts.fixed(threads)+heap) / (1 - float64(headRoom)/100)
	needed := (int64(need) + mebi) / mebi * mebi
	why := fmt.Sprintf("it needs at least %s and there is %s: %s", sizeText(needed), sizeText(total), parts.needs(threads, room))
	fix := fmt.Sprintf("give the container %s of memory or more", sizeText(needed))
	fitting := (total - room - heap - parts.fixed(0)) / max(1, parts.stack.bytes)
	switch {
	case parts.heap.user && total-room-parts.fixed(threads) >= smallestHeap:
		fix += fmt.Sprintf(", or lower the heap in JAVA_TOOL_OPTIONS to %s or less", sizeText(total-room-parts.fixed(threads)))
	case fitting >= 10:
		fix += fmt.Sprintf(", or set BPL_JVM_THREAD_COUNT (now %d) to %d or less", threads, fitting)
	default:
		fix += fmt.Sprintf(", or lower BPL_JVM_THREAD_COUNT (now %d) and, in JAVA_TOOL_OPTIONS, %s", threads, parts.code)
	}
	if headRoom > 0 {
		fix += fmt.Sprintf("; BPL_JVM_HEAD_ROOM (now %d) keeps %s free", headRoom, sizeText(room))
	}
	return failure.New(failure.Generic, "the JVM does not fit into the memory of this container", why, fix)
}
