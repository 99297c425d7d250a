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

// The engine of a user who runs nothing else, as that of a service does, is found
// though its files are hidden, and what everybody may read of it is read. Of two such
// programs nobody can tell which listens.
func TestTheOnlyProgramOfAnotherUserIsTheEngine(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to look as somebody else")
	}
	const uid = 64123 // nobody's on any system
	as := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	engine := newProgram(t, "/proc/self/exe", as)
	engine.order("fork")
	engine.order("give touch 128")
	address := engine.order("listen 127.0.0.1:0")
	out := asNobody(t, engineEnv+"="+address)
	for _, part := range []string{
		"all that user 64123 runs", fmt.Sprintf("(process %d, ", engine.pid), "resident sizes", "sudo -u 64123",
		string(exobench.RSS), string(exobench.RSSPeak), string(exobench.Anonymous), "processes 2",
	} {
		if !strings.Contains(out, part) {
			t.Errorf("nobody finds another user's engine: %s, want %q in it", out, part)
		}
	}
	if strings.Contains(out, string(exobench.PSS)) {
		t.Errorf("proportional sizes of another user's engine: %s", out)
	}
	newProgram(t, "/proc/self/exe", as)
	out = asNobody(t, engineEnv+"="+address)
	for _, part := range []string{"cannot be seen", "sudo -u 64123", "cap_sys_ptrace", ErrNotFound.Error()} {
		if !strings.Contains(out, part) {
			t.Errorf("of two programs: %s, want %q in it", out, part)
		}
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
