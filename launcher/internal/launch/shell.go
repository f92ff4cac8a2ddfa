package launch

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"slipway/launcher/internal/failure"
)

const bash = "/bin/bash"

// execShell replaces the launcher by a shell that sources the profiles and then becomes the process.
func (p process) execShell(env environment, all [][]layer, self string) error {
	profiles, err := p.profiles(all)
	if err != nil {
		return err
	}
	command := strings.Join(p.command, " ")
	argv := append([]string{"bash", "-c", script(profiles, p.directory, len(p.args)), self, command}, p.args...)
	err = syscall.Exec(bash, argv, env.list())
	return failure.New(failure.Launch, "cannot start "+p.name(), "it needs a shell, "+bash+": "+err.Error(),
		"put -- before the command to start it without a shell, or build on a run image that has one")
}

// profiles are the scripts of all layers, then the app's own, whose directory is the current one.
func (p process) profiles(all [][]layer) ([]string, error) {
	var list []string
	for _, mine := range all {
		for _, each := range mine {
			files, err := each.files("profile.d", p.kind)
			if err != nil {
				return nil, err
			}
			list = append(list, files...)
		}
	}
	if info, err := os.Stat(".profile"); err == nil && !info.IsDir() {
		list = append(list, ".profile")
	} else if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	return list, nil
}

var quoting = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`")

// script is the outer shell's program. Its parameters are the command and its arguments. Without arguments the command
// is a script for the inner shell; with them each word is expanded once more and becomes one word again.
func script(profiles []string, directory string, args int) string {
	var out strings.Builder
	for _, profile := range profiles {
		out.WriteString(`source "` + quoting.Replace(profile) + "\"\n")
	}
	out.WriteString(`cd "` + directory + "\"\n")
	if args == 0 {
		out.WriteString(`exec bash -c "$@"`)
		return out.String()
	}
	out.WriteString(`exec bash -c '"$(eval echo \"$0\")"`)
	for at := 1; at <= args; at++ {
		out.WriteString(` "$(eval echo \"${` + strconv.Itoa(at) + `}\")"`)
	}
	out.WriteString(`' "${@:1}"`)
	return out.String()
}
