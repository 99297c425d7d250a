package machine

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Commands runs the system's commands.
type Commands struct {
	// Folder has the commands; where it is empty they are those of PATH, or of the
	// system's own folders.
	Folder string
}

// systemFolders are where macOS keeps its commands; PATH may lack them, as under
// launchd.
var systemFolders = []string{"/usr/bin", "/bin", "/usr/sbin", "/sbin"}

// commandTime is how long a command may take.
const commandTime = 3 * time.Second

// run runs a command and returns what it printed. Some print what they know and
// fail for the rest, as sysctl does for a name that is unknown, so what was printed
// is returned with the error too.
func (c Commands) run(ctx context.Context, name string, args ...string) (string, error) {
	path, err := c.find(name)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	command := exec.CommandContext(ctx, path, args...)
	command.Env = append(os.Environ(), "LC_ALL=C")
	command.WaitDelay = time.Second // for what holds the pipe beyond its end
	out, err := command.Output()
	if ctx.Err() != nil {
		return string(out), fmt.Errorf("%s gave no answer within %v", name, commandTime)
	}
	if err != nil {
		return string(out), fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return string(out), nil
}

func (c Commands) find(name string) (string, error) {
	if c.Folder != "" {
		return exec.LookPath(filepath.Join(c.Folder, name))
	}
	path, err := exec.LookPath(name)
	for _, folder := range systemFolders {
		if err == nil {
			break
		}
		path, err = exec.LookPath(filepath.Join(folder, name))
	}
	return path, err
}
