package launch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"slipway/launcher/internal/failure"
)

// execDirect replaces the launcher by the process.
func (p process) execDirect(env environment) error {
	what := "cannot start " + p.name()
	if len(p.command) == 0 || p.command[0] == "" {
		return failure.New(failure.Launch, what, "its command is empty", "build the image anew, or give a command behind --")
	}
	path, err := lookUp(p.command[0], env["PATH"])
	if err != nil {
		return failure.New(failure.Launch, what, strconv.Quote(p.command[0])+": "+reason(err),
			"check the name; the search path is "+strconv.Quote(env["PATH"]))
	}
	found, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if err := os.Chdir(p.directory); err != nil {
		return failure.New(failure.Launch, what, "its working directory "+p.directory+": "+reason(err), "build the image anew")
	}
	argv := append([]string{p.command[0]}, p.args...)
	err = syscall.Exec(path, argv, env.list())
	if errors.Is(err, fs.ErrNotExist) && path != found {
		err = syscall.Exec(found, argv, env.list())
	}
	return failure.New(failure.Launch, what, strconv.Quote(path)+": "+err.Error(),
		"the program, or the interpreter or loader that it names, is not in this image or not for this machine")
}

func (p process) name() string {
	if p.kind != "" {
		return "the process " + strconv.Quote(p.kind)
	}
	return "the command"
}

// lookUp finds a program as execvp does, except that the current directory is never searched by way of PATH.
func lookUp(name, path string) (string, error) {
	if strings.Contains(name, "/") {
		return name, executable(name)
	}
	err := error(errors.New("there is no such program on the PATH"))
	for _, directory := range strings.Split(path, ":") {
		candidate := filepath.Join(directory, name)
		if !filepath.IsAbs(directory) {
			if executable(candidate) == nil {
				return "", errors.New("it is found by way of a relative element of the PATH alone")
			}
			continue
		}
		if failed := executable(candidate); failed == nil {
			return candidate, nil
		} else if errors.Is(failed, fs.ErrPermission) {
			err = failed
		}
	}
	return "", err
}

// mayExecute is X_OK of access(2).
const mayExecute = 1

func executable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return syscall.EISDIR
	}
	if info.Mode()&0o111 == 0 || syscall.Access(path, mayExecute) != nil {
		return fs.ErrPermission
	}
	return nil
}
