package launch

import (
	"slices"
	"strconv"
	"strings"

	"slipway/launcher/internal/failure"
)

// choose finds the process that the name of the launcher asks for, or takes the arguments for one.
func (m metadata) choose(name string, args []string, platform version, mode string) (process, error) {
	known := false
	for _, each := range m.processes {
		if each.kind != name {
			continue
		}
		known = true
		if platform.minor < 15 || len(each.modes) == 0 || slices.Contains(each.modes, "*") ||
			slices.Contains(each.modes, mode) {
			return m.withArguments(each, args)
		}
	}
	if known {
		why := "it is not for the execution environment " + strconv.Quote(mode)
		return process{}, failure.New(failure.Launch, "cannot start the process "+strconv.Quote(name), why,
			"set CNB_EXEC_ENV to one that it is for, or start another process of the image")
	}
	return m.fromArguments(args)
}

// fromArguments takes a command from the user: directly behind `--`, else through the shell.
func (m metadata) fromArguments(args []string) (process, error) {
	if len(args) == 0 {
		fix := "give a command, or use one of these as the entrypoint: " + m.types()
		return process{}, failure.New(failure.Launch, "cannot start", "there is neither a process nor a command to start", fix)
	}
	if len(args) > 1 && args[0] == "--" {
		return process{command: args[1:2], args: args[2:], direct: true}, nil
	}
	return process{command: args[:1], args: args[1:]}, nil
}

// withArguments applies the user's arguments. Words of a command after its first always stay; what the process has as
// args gives way, unless a buildpack with an API older than 0.9 made it.
func (m metadata) withArguments(p process, args []string) (process, error) {
	if len(p.command) > 1 {
		standard := p.args
		if len(args) > 0 {
			standard = args
		}
		p.args = append(slices.Clone(p.command[1:]), standard...)
		p.command = p.command[:1]
		return p, nil
	}
	if len(args) == 0 {
		return p, nil
	}
	maker, err := m.maker(p)
	if err != nil {
		return p, err
	}
	if v, _ := parseVersion(maker.api); v.minor < 9 {
		p.args = append(slices.Clone(p.args), args...)
	} else {
		p.args = args
	}
	return p, nil
}

// maker is the buildpack that a process came from.
func (m metadata) maker(p process) (buildpack, error) {
	for _, each := range m.buildpacks {
		if each.id == p.buildpack {
			return each, nil
		}
	}
	why := "it comes from the buildpack " + strconv.Quote(p.buildpack) + ", which the image does not name"
	return buildpack{}, failure.New(failure.Launch, "cannot start the process "+strconv.Quote(p.kind), why,
		"build the image anew")
}

func (m metadata) types() string {
	var list []string
	for _, each := range m.processes {
		list = append(list, "/cnb/process/"+each.kind)
	}
	if len(list) == 0 {
		return "(the image has none)"
	}
	return strings.Join(list, ", ")
}
