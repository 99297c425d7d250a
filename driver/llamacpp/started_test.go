//go:build unix

package llamacpp

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"exobench"
)

var tiny = exobench.Model{Name: "tiny", ID: "tiny"}

func TestAServerIsStartedAndTakenAway(t *testing.T) {
	t.Parallel()
	target := fake(t, "slow")
	if info := target.Info(); info.Version != "b11669-Debian" || !info.LifeCycle || info.PID != 0 || info.URL == "" {
		t.Errorf("before the start: got %+v", info)
	}
	if m, err := target.Resolve("tiny", nil); err != nil || m != tiny {
		t.Errorf("Resolve: got %+v, %v, want %+v", m, err, tiny)
	}
	for range 2 {
		var got events
		d, err := target.Prepare(t.Context(), tiny, got.report)
		if err != nil {
			t.Fatal(err)
		}
		pid := target.PID()
		if group, err := syscall.Getpgid(pid); err != nil || group != pid {
			t.Errorf("the server's group is %d (%v), want its own, %d", group, err, pid)
		}
		if !d.Created || target.Server().Slots != 2 || target.Info().PID != pid {
			t.Errorf("got %+v, %+v", d, target.Server())
		}
		if record := target.Do(t.Context(), d, ask("hello", 3)); record.Outcome != exobench.OK {
			t.Errorf("got %s: %s, want ok", record.Outcome, record.Error)
		}
		if err := target.Release(t.Context(), d, got.report); err != nil {
			t.Error(err)
		}
		if want := "load warm ready release released"; got.stages() != want {
			t.Errorf("got stages %q, want %q", got.stages(), want)
		}
		if !slices.ContainsFunc(got.all, func(e exobench.LoadEvent) bool { return strings.HasPrefix(e.Detail, "40 %, ") }) {
			t.Errorf("no event says how much is loaded: %+v", got.all)
		}
		if detail := got.last().Detail; detail != "" || target.PID() != 0 {
			t.Errorf("after Release: %q, process %d, want nothing unusual and no process", detail, target.PID())
		}
		if record := target.Do(t.Context(), d, ask("hello", 3)); record.Outcome != exobench.ConnectError {
			t.Errorf("without a server: got %s, want connect_error", record.Outcome)
		}
		waitGone(t, target.Info().URL)
	}
}

func TestAServerThatCannotLoadTellsWhy(t *testing.T) {
	t.Parallel()
	target := fake(t, "fail")
	var got events
	_, err := target.Prepare(t.Context(), tiny, got.report)
	want := "llama-server ended (exit status 1): llama_model_load: error loading model: tensor 'blk.2.attn_output.weight' data is not within the file bounds"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if target.PID() != 0 || strings.Contains(got.stages(), "ready") {
		t.Errorf("got process %d, stages %s", target.PID(), got.stages())
	}
}

func TestALoadThatIsInterruptedLeavesNothing(t *testing.T) {
	t.Parallel()
	target := fake(t, "never")
	ctx, cancel := context.WithCancel(t.Context())
	var got events
	time.AfterFunc(200*time.Millisecond, cancel)
	if _, err := target.Prepare(ctx, tiny, got.report); err == nil {
		t.Error("got a server that never was ready")
	}
	waitGone(t, target.Info().URL)
}

func TestStubbornServersAreGoneToo(t *testing.T) {
	t.Parallel()
	for how, want := range map[string]string{
		"twice": "it took a second SIGTERM",
		"deaf":  "it heeded no SIGTERM and was killed",
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			target := fake(t, how)
			var got events
			d, err := target.Prepare(t.Context(), tiny, got.report)
			if err != nil {
				t.Fatal(err)
			}
			if err := target.Release(t.Context(), d, got.report); err != nil || got.last().Detail != want {
				t.Errorf("got %q, %v, want %q", got.last().Detail, err, want)
			}
			waitGone(t, target.Info().URL)
		})
	}
}

func TestCloseEndsAServerAndItsRequests(t *testing.T) {
	t.Parallel()
	target := fake(t, "endless")
	d, err := target.Prepare(t.Context(), tiny, new(events).report)
	if err != nil {
		t.Fatal(err)
	}
	record := make(chan exobench.Record)
	go func() { record <- target.Do(t.Context(), d, ask("hello", 5)) }()
	time.Sleep(100 * time.Millisecond)
	go target.Close()
	if r := <-record; r.Outcome != exobench.Canceled {
		t.Errorf("got %s: %s, want canceled", r.Outcome, r.Error)
	}
	waitGone(t, target.Info().URL)
}

func TestARequestTellsThatTheServerEnded(t *testing.T) {
	t.Parallel()
	target := fake(t, "crash")
	var got events
	d, err := target.Prepare(t.Context(), tiny, got.report)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []exobench.Outcome{exobench.Truncated, exobench.ConnectError} {
		r := target.Do(t.Context(), d, ask("hello", 5))
		if r.Outcome != want || !strings.Contains(r.Error, "llama-server ended (exit status 3): ggml.c:123: GGML_ASSERT(a != b) failed") {
			t.Errorf("got %s: %s, want %s and why", r.Outcome, r.Error, want)
		}
	}
	if target.PID() != 0 {
		t.Errorf("got process %d, want none", target.PID())
	}
	if err := target.Release(t.Context(), d, got.report); err != nil || !strings.Contains(got.last().Detail, "GGML_ASSERT") {
		t.Errorf("Release: got %v, %q", err, got.last().Detail)
	}
}

func TestAPortThatWasTakenIsLeft(t *testing.T) {
	t.Parallel()
	target := fake(t, "")
	other := target.Info().URL
	occupy(t, strings.TrimPrefix(other, "http://"))
	if _, err := target.Prepare(t.Context(), tiny, new(events).report); err != nil {
		t.Fatal(err)
	}
	if target.Info().URL == other {
		t.Errorf("the server is at %s, where another listens", other)
	}
}

func TestTheServerGoesWhenExobenchIsKilled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, fake, at string }{
		{"while it loads", "never,deaf", "http"},
		{"when it is ready", "deaf", "ready"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			killParent(t, c.at, os.Args[0], fakeModel(t), "--fake", c.fake)
		})
	}
}

// killParent runs an exobench, kills it once it says a line that begins so, and
// waits for its server to be gone.
func killParent(t *testing.T, at, program, model string, args ...string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"exobench", model, program}, args...)...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	lines := bufio.NewScanner(stdout)
	url := ""
	for lines.Scan() {
		if url == "" {
			url = lines.Text()
		}
		if strings.HasPrefix(lines.Text(), at) {
			break
		}
	}
	if !strings.HasPrefix(url, "http") {
		t.Fatalf("no server: %s", url)
	}
	waitUp(t, url)
	cmd.Process.Kill()
	io.Copy(io.Discard, stdout)
	waitGone(t, url)
}

func TestDialLooksAtProgramAndModel(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	model := fakeModel(t)
	broken := file("broken", "#!/bin/sh\necho 'llama-server: error while loading shared libraries: libssl.so.3: cannot open shared object file' >&2\nexit 127\n", 0o755)
	for _, c := range []struct {
		name   string
		config Config
		want   string
	}{
		{"no such model", Config{ModelPath: folder + "/none.gguf", ServerPath: os.Args[0]}, "there is no file " + folder + "/none.gguf"},
		{"another kind of file", Config{ModelPath: file("model.safetensors", "PK\x03\x04....", 0o600), ServerPath: os.Args[0]}, "is not a GGUF file"},
		{"an empty file", Config{ModelPath: file("empty.gguf", "", 0o600), ServerPath: os.Args[0]}, "is not a GGUF file"},
		{"a folder", Config{ModelPath: folder, ServerPath: os.Args[0]}, "is not a GGUF file"},
		{"no such program", Config{ModelPath: model, ServerPath: folder + "/none"}, "is no program that can be run"},
		{"a file that is no program", Config{ModelPath: model, ServerPath: file("text", "text", 0o600)}, "is no program that can be run"},
		{"a program that does not start", Config{ModelPath: model, ServerPath: broken}, "does not run (exit status 127): llama-server: error while loading shared libraries: libssl.so.3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.config.Wire = newWire(t)
			_, err := Dial(t.Context(), c.config)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestTheProgramIsFoundInItsFolderThenInPath(t *testing.T) {
	own, path := t.TempDir(), t.TempDir()
	t.Setenv(BinVariable, own)
	t.Setenv("PATH", path)
	if _, err := FindProgram(""); err == nil || !strings.Contains(err.Error(), "there is no llama-server in PATH") {
		t.Errorf("got %v, want that there is none", err)
	}
	for _, folder := range []string{path, own} {
		want := filepath.Join(folder, "llama-server")
		if err := os.WriteFile(want, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if got, err := FindProgram(""); err != nil || got != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}
