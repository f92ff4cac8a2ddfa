package startup

import (
	"fmt"
	"strconv"
	"strings"
)

// region is a part of a JVM's memory and the option that sets its size.
type region struct {
	option string
	bytes  int64
	user   bool // set by the user, so that it is counted and not set again
}

func (r region) String() string { return r.option + sizeText(r.bytes) }

// regions are the parts of a JVM's memory. The heap gets what the others leave.
type regions struct{ direct, heap, metaspace, code, stack region }

const (
	// What the metaspace takes for one loaded class, and before the first one.
	bytesOfClass  = 5_800
	bytesOfLoader = 14_000_000
	// The JVM refuses a smaller heap.
	smallestHeap = 2 * mebi
)

// regionsOf takes sizes from options, and the standard ones for the rest. The metaspace goes by the number of classes.
func regionsOf(options []string, classes int, total int64) regions {
	result := regions{
		direct:    region{option: "-XX:MaxDirectMemorySize=", bytes: 10 * mebi},
		heap:      region{option: "-Xmx"},
		metaspace: region{option: "-XX:MaxMetaspaceSize=", bytes: bytesOfLoader + bytesOfClass*int64(classes)},
		code:      region{option: "-XX:ReservedCodeCacheSize=", bytes: 240 * mebi},
		stack:     region{option: "-Xss", bytes: mebi},
	}
	for _, option := range options {
		for _, each := range []*region{&result.direct, &result.heap, &result.metaspace, &result.code, &result.stack} {
			each.take(option, each.option)
		}
		result.heap.take(option, "-XX:MaxHeapSize=")
		if share, found := strings.CutPrefix(option, "-XX:MaxRAMPercentage="); found {
			if percent, err := strconv.ParseFloat(share, 64); err == nil && percent > 0 && percent <= 100 {
				result.heap.bytes, result.heap.user = int64(percent/100*float64(total)), true
			}
		}
	}
	return result
}

func (r *region) take(option, prefix string) {
	if text, found := strings.CutPrefix(option, prefix); found {
		if bytes, ok := parseSize(text); ok {
			r.bytes, r.user = bytes, true
		}
	}
}

// fixed is what all regions but the heap take.
func (r regions) fixed(threads int) int64 {
	return r.direct.bytes + r.metaspace.bytes + r.code.bytes + r.stack.bytes*int64(threads)
}

// needs lists what takes how much.
func (r regions) needs(threads int, headRoom int64) string {
	parts := []string{r.direct.String(), r.metaspace.String(), r.code.String(), fmt.Sprintf("%s * %d threads", r.stack, threads)}
	if headRoom > 0 {
		parts = append(parts, sizeText(headRoom)+" head room")
	}
	if r.heap.bytes > 0 {
		parts = append(parts, r.heap.String())
	} else {
		parts = append(parts, "and at least "+sizeText(smallestHeap)+" of heap")
	}
	return strings.Join(parts, ", ")
}

// calculated are the options that the user did not set.
func (r regions) calculated() []string {
	var list []string
	for _, each := range []region{r.direct, r.heap, r.metaspace, r.code, r.stack} {
		if !each.user {
			list = append(list, each.String())
		}
	}
	return list
}
