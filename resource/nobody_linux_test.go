package resource

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"exobench"
)

func TestFindListenerNamesTheUserWhoseProcessIsHidden(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to look as somebody else")
	}
	engine := newEngine(t)
	out := asNobody(t, finderEnv+"="+engine.order("listen 127.0.0.1:0"))
	if !strings.Contains(out, "a process of user root") {
		t.Errorf("nobody finds root's listener: %s", out)
	}
}

func TestTreeOfAnotherUserIsReadAsRSS(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to look as somebody else")
	}
	out := asNobody(t, fmt.Sprintf("%s=%d", readerEnv, os.Getpid()))
	if strings.Contains(out, string(exobench.PSS)) || !strings.Contains(out, string(exobench.RSS)) {
		t.Errorf("reading of root's process by nobody: %s, want one of resident sizes", out)
	}
}

// asNobody runs the test binary with a variable of its environment set, as a
// user who may not look at other users' processes, and returns what it prints.
func asNobody(t *testing.T, variable string) string {
	t.Helper()
	command := exec.Command("/proc/self/exe")
	command.Env = append(os.Environ(), variable)
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("run as nobody: %v\n%s", err, out)
	}
	return string(out)
}
