package launch

import (
	"slices"
	"strconv"
	"strings"

	"slipway/launcher/internal/failure"
)

// version is an API version. Before 1.0 only the very same one will do, so that equality is all there is to ask.
type version struct{ major, minor uint64 }

// The versions that this launcher speaks (both have 0 as their major).
var (
	platformMinors  = []uint64{12, 13, 14, 15}
	buildpackMinors = []uint64{7, 8, 9, 10, 11, 12}
)

// parseVersion reads `[v]MAJOR[.MINOR]`.
func parseVersion(text string) (version, bool) {
	major, minor, _ := strings.Cut(strings.TrimPrefix(text, "v"), ".")
	if minor == "" {
		minor = "0"
	}
	first, err := strconv.ParseUint(major, 10, 32)
	second, err2 := strconv.ParseUint(minor, 10, 32)
	return version{first, second}, err == nil && err2 == nil
}

func (v version) isOneOf(minors []uint64) bool {
	return v.major == 0 && slices.Contains(minors, v.minor)
}

func checkPlatform(text string) (version, error) {
	fix := "set CNB_PLATFORM_API to a version from 0.12 to 0.15; images that slipway builds set it themselves"
	if strings.TrimSpace(text) == "" {
		return version{}, failure.New(failure.PlatformAPI, "cannot start", "CNB_PLATFORM_API is not set", fix)
	}
	v, ok := parseVersion(text)
	if !ok || !v.isOneOf(platformMinors) {
		why := "this launcher does not know the Platform API " + strconv.Quote(text) + " (CNB_PLATFORM_API)"
		return version{}, failure.New(failure.PlatformAPI, "cannot start", why, fix)
	}
	return v, nil
}

func checkBuildpacks(list []buildpack) error {
	for _, each := range list {
		if v, ok := parseVersion(each.api); !ok || !v.isOneOf(buildpackMinors) {
			why := "the buildpack " + strconv.Quote(each.id) + " has the Buildpack API " + strconv.Quote(each.api)
			fix := "build the image anew with a buildpack of an API from 0.7 to 0.12"
			return failure.New(failure.BuildpackAPI, "cannot start", why, fix)
		}
	}
	return nil
}
