package startup

import (
	"math"
	"strconv"
	"strings"
)

const (
	kibi = int64(1) << 10
	mebi = int64(1) << 20
	gibi = int64(1) << 30
	tebi = int64(1) << 40
)

func itoa(number int64) string { return strconv.FormatInt(number, 10) }

// sizeText writes bytes as the JVM reads them: whole kibibytes, in the largest unit that fits without a rest.
func sizeText(bytes int64) string {
	switch {
	case bytes < kibi:
		return "0"
	case bytes%tebi < kibi:
		return itoa(bytes/tebi) + "T"
	case bytes%gibi < kibi:
		return itoa(bytes/gibi) + "G"
	case bytes%mebi < kibi:
		return itoa(bytes/mebi) + "M"
	}
	return itoa(bytes/kibi) + "K"
}

// parseSize reads a number with an optional k, m, g or t.
func parseSize(text string) (int64, bool) {
	unit := int64(1)
	if text != "" {
		if at := strings.IndexByte("kmgt", text[len(text)-1]|0x20); at >= 0 {
			unit = kibi << (10 * at)
			text = text[:len(text)-1]
		}
	}
	number, err := strconv.ParseUint(text, 10, 63)
	if err != nil || int64(number) > math.MaxInt64/unit {
		return 0, false
	}
	return int64(number) * unit, true
}
