//go:build unix

package llamacpp

import (
	"bufio"
	"context"
	"errors"
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
	"exobench/driver"
)

func TestAServerIsStartedAndTakenAway(t *testing.T) {
	t.Parallel()
	target, tiny := fake(t, "slow")
	if info := target.Info(); info.Version != "b11669-Debian" || info.Driver != "llamacpp" || !info.LifeCycle || info.URL != "" || info.Label != "" {
		t.Errorf("before the start: got %+v", info)
	}
	if tiny != (exobench.Model{Name: "tiny", ID: "tiny"}) {
		t.Errorf("the model is %+v", tiny)
	}
	for range 2 {
		var got events
		d, err := target.Prepare(t.Context(), tiny, "", got.report)
		if err != nil {
			t.Fatal(err)
		}
		if group, err := syscall.Getpgid(d.PID); err != nil || group != d.PID {
			t.Errorf("the server's group is %d (%v), want its own, %d", group, err, d.PID)
		}
		if !d.Created || target.Info().URL != got.url() {
			t.Errorf("got %+v, %+v", d, target.Info())
		}
		if record := target.Do(t.Context(), d, ask("hello", 3)); record.Outcome != exobench.OK {
			t.Errorf("got %s: %s, want ok", record.Outcome, record.Error)
		}
		if err := target.Alive(t.Context()); err != nil {
			t.Error(err)
		}
		if rss := memory(t, target); rss == 0 {
			t.Error("its memory is 0")
		}
		url := got.url()
		if err := target.Release(t.Context(), d, got.report); err != nil {
			t.Error(err)
		}
		if want := "load warm ready release released"; got.stages() != want {
			t.Errorf("got stages %q, want %q", got.stages(), want)
		}
		if !slices.ContainsFunc(got.all, func(e exobench.StageEvent) bool { return strings.HasPrefix(e.Detail, "40 %, ") }) {
			t.Errorf("no event says how much is loaded: %+v", got.all)
		}
		if detail := got.last().Detail; detail != "" || memory(t, target) != 0 {
			t.Errorf("after Release: %q, memory %v, want nothing unusual and none", detail, memory(t, target))
		}
		if record := target.Do(t.Context(), d, ask("hello", 3)); record.Outcome != exobench.ConnectError {
			t.Errorf("without a server: got %s, want connect_error", record.Outcome)
		}
		if err := target.Alive(t.Context()); err == nil {
			t.Error("it is alive without a server")
		}
		waitGone(t, url)
	}
}

// memory returns what the engine's sensor reads.
func memory(t *testing.T, e driver.Engine) float64 {
	t.Helper()
	samples, err := e.Sensors()[0].Read(t.Context(), exobench.Loaded)
	if err != nil || len(samples) != 1 {
		t.Fatalf("got %+v, %v", samples, err)
	}
	if pss, ok := samples[0].Values.Get(exobench.PSS); ok {
		return pss
	}
	rss, _ := samples[0].Values.Get(exobench.RSS)
	return rss
}

// The double says which arguments it was started with by how many slots it has.
func TestAnOpenLoopFindsASlotForEachRequest(t *testing.T) {
	t.Parallel()
	target, tiny := fakeFor(t, "", exobench.Plan{
		Traffic:  []exobench.Traffic{{Rate: 10}},
		Workload: exobench.Workload{Prompts: make([]exobench.Prompt, 2), MaxTokens: 64},
		Stop:     exobench.Stop{Repeat: 6},
	})
	if _, err := target.Prepare(t.Context(), tiny, "", new(events).report); err != nil {
		t.Fatal(err)
	}
	if got := target.current.server.Slots; got != 12 {
		t.Errorf("the server has %d slots for an open loop of 12 requests", got)
	}
}

func TestSeveralModelsHaveAServerEach(t *testing.T) {
	t.Parallel()
	target, tiny := fake(t, "")
	other := filepath.Join(t.TempDir(), "Other.GGUF")
	if err := os.WriteFile(other, []byte("GGUF"), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := target.Resolve(t.Context(), other)
	if err != nil || m.ID != "Other" {
		t.Fatalf("got %+v, %v", m, err)
	}
	if _, err := target.Resolve(t.Context(), fakeModel(t)); err == nil || !strings.Contains(err.Error(), "files of the same name") {
		t.Errorf("another file of the first one's name: got %v", err)
	}
	var pids []int
	for _, m := range []exobench.Model{tiny, m} { // as with --keep-loaded
		d, err := target.Prepare(t.Context(), m, "", new(events).report)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, d.PID)
		if record := target.Do(t.Context(), d, ask("hello", 3)); record.Outcome != exobench.OK {
			t.Errorf("%s: got %s: %s", m.ID, record.Outcome, record.Error)
		}
	}
	if pids[0] == pids[1] || target.pid() != pids[1] {
		t.Errorf("processes %v, at work %d", pids, target.pid())
	}
	if err := target.Close(); err != nil || len(target.sessions) != 0 {
		t.Errorf("after Close: %v, %d servers", err, len(target.sessions))
	}
}

func TestSyntheticFilesAreMadeOnTheWay(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	spec := specOf(os.Args[0], "")
	spec.Options["synthetic"], spec.Options["quant"] = "true", "q8_0"
	env := testEnv(t)
	env.Catalogue = catalogueOf(t, "- name: mini\n  shape: {layers: 2, hidden: 64, heads: 2, kv_heads: 1, ffn: 128, vocab: 400, context: 512, rope_base: 10000}\n- name: odd\n")
	var lines []string
	env.Progress = func(line string) { lines = append(lines, line) }
	e := open(t, spec, env)
	m, err := e.Resolve(t.Context(), "mini")
	if err != nil || m != (exobench.Model{Name: "mini", ID: "mini-q8_0"}) {
		t.Fatalf("got %+v, %v", m, err)
	}
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "writing ") {
		t.Errorf("told %q", lines)
	}
	if info := e.Info(); info.Label != syntheticLabel || info.Caveat != syntheticCaveat {
		t.Errorf("got %+v, want its label and caveat", info)
	}
	for name, want := range map[string]string{"odd": "not a plain Llama's", "no-such-thing": "is not known", "none.gguf": "model file none.gguf: no such file"} {
		_, err := e.Resolve(t.Context(), name)
		if _, usage := errors.AsType[driver.UsageError](err); !usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want a UsageError with %q", name, err, want)
		}
	}
}

func TestAServerThatCannotLoadTellsWhy(t *testing.T) {
	t.Parallel()
	target, tiny := fake(t, "fail")
	var got events
	_, err := target.Prepare(t.Context(), tiny, "", got.report)
	want := "llama-server ended (exit status 1): llama_model_load: error loading model: tensor 'blk.2.attn_output.weight' data is not within the file bounds"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if target.pid() != 0 || strings.Contains(got.stages(), "ready") {
		t.Errorf("got process %d, stages %s", target.pid(), got.stages())
	}
}

func TestALoadThatIsInterruptedLeavesNothing(t *testing.T) {
	t.Parallel()
	target, tiny := fake(t, "never")
	ctx, cancel := context.WithCancel(t.Context())
	var got events
	report := func(e exobench.StageEvent) {
		got.report(e)
		if len(got.all) == 2 { // it was started, and has been asked
			cancel()
		}
	}
	if _, err := target.Prepare(ctx, tiny, "", report); err == nil {
		t.Error("got a server that never was ready")
	}
	waitGone(t, got.url())
}

func TestStubbornServersAreGoneToo(t *testing.T) {
	t.Parallel()
	for how, want := range map[string]string{
		"twice": "it took a second SIGTERM",
		"deaf":  "it heeded no SIGTERM and was killed",
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			target, tiny := fake(t, how)
			var got events
			d, err := target.Prepare(t.Context(), tiny, "", got.report)
			if err != nil {
				t.Fatal(err)
			}
			if err := target.Release(t.Context(), d, got.report); err != nil || got.last().Detail != want {
				t.Errorf("got %q, %v, want %q", got.last().Detail, err, want)
			}
			waitGone(t, got.url())
		})
	}
}

func TestCloseEndsAServerAndItsRequests(t *testing.T) {
	t.Parallel()
	target, tiny := fake(t, "endless")
	var got events
	d, err := target.Prepare(t.Context(), tiny, "", got.report)
	if err != nil {
		t.Fatal(err)
	}
	record := make(chan exobench.Record)
	go func() { record <- target.Do(t.Context(), d, ask("hello", 5)) }()
	for target.env.Wire.Events() == 0 {
		time.Sleep(time.Millisecond)
	}
	go target.Close()
	if r := <-record; r.Outcome != exobench.Canceled {
		t.Errorf("got %s: %s, want canceled", r.Outcome, r.Error)
	}
	waitGone(t, got.url())
}

func TestARequestTellsThatTheServerEnded(t *testing.T) {
	t.Parallel()
	target, tiny := fake(t, "crash")
	var got events
	d, err := target.Prepare(t.Context(), tiny, "", got.report)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []exobench.Outcome{exobench.Truncated, exobench.ConnectError} {
		r := target.Do(t.Context(), d, ask("hello", 5))
		if r.Outcome != want || !strings.Contains(r.Error, "llama-server ended (exit status 3): ggml.c:123: GGML_ASSERT(a != b) failed") {
			t.Errorf("got %s: %s, want %s and why", r.Outcome, r.Error, want)
		}
	}
	if target.pid() != 0 {
		t.Errorf("got process %d, want none", target.pid())
	}
	if err := target.Alive(t.Context()); err == nil || !strings.Contains(err.Error(), "GGML_ASSERT") {
		t.Errorf("Alive: got %v, want why it ended", err)
	}
	if err := target.Release(t.Context(), d, got.report); err != nil || !strings.Contains(got.last().Detail, "GGML_ASSERT") {
		t.Errorf("Release: got %v, %q", err, got.last().Detail)
	}
}

func TestARequestTellsThatTheServerWasKilledForWantOfMemoryAndTheNextModelIsServed(t *testing.T) {
	t.Parallel()
	target, tiny := fake(t, "starve")
	var got events
	for range 2 { // the second time it is started anew
		d, err := target.Prepare(t.Context(), tiny, "", got.report)
		if err != nil {
			t.Fatal(err)
		}
		r := target.Do(t.Context(), d, ask("hello", 5))
		if r.Outcome == exobench.OK || !strings.Contains(r.Error, "llama-server ended (killed, by the system for want of memory or by somebody)") {
			t.Errorf("got %s: %s", r.Outcome, r.Error)
		}
		if err := target.Release(t.Context(), d, got.report); err != nil {
			t.Error(err)
		}
	}
}

func TestTheServerGoesWhenExobenchIsKilled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, fake, at string }{
		{"while it loads", "never,deaf", "load"},
		{"when it is ready", "deaf", "ready"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			killParent(t, c.at, os.Args[0], fakeModel(t), "--fake", c.fake)
		})
	}
}

// killParent runs an exobench, kills it once its load is at the stage, and waits
// for its server to be gone.
func killParent(t *testing.T, stage, program, model string, args ...string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"exobench", program, model}, args...)...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	url := ""
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if url == "" {
			url = urlOf(lines.Text())
		}
		if strings.HasPrefix(lines.Text(), stage) {
			break
		}
	}
	waitUp(t, url)
	cmd.Process.Kill()
	io.Copy(io.Discard, stdout)
	waitGone(t, url)
}

func TestProgramAndModelAreLookedAtFirst(t *testing.T) {
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
	for _, c := range []struct{ name, program, model, want string }{
		{"no such model", os.Args[0], folder + "/none.gguf", "model file " + folder + "/none.gguf: no such file"},
		{"another kind of file", os.Args[0], file("other.gguf", "PK\x03\x04....", 0o600), "is not a GGUF file"},
		{"an empty file", os.Args[0], file("empty.gguf", "", 0o600), "is not a GGUF file"},
		{"no such program", folder + "/none", model, "is no program that can be run"},
		{"a file that is no program", file("text", "text", 0o600), model, "is no program that can be run"},
		{"a program that does not start", broken, model, "does not run (exit status 127): llama-server: error while loading shared libraries: libssl.so.3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := Driver{}.Open(t.Context(), specOf(c.program, ""), testEnv(t))
			if err == nil {
				_, err = e.Resolve(t.Context(), c.model)
			}
			if _, usage := errors.AsType[driver.UsageError](err); !usage || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want a UsageError with %q", err, c.want)
			}
		})
	}
}

func TestTheProgramIsFoundInItsFolderThenInPath(t *testing.T) {
	own, path := t.TempDir(), t.TempDir()
	t.Setenv(BinVariable, own)
	t.Setenv("PATH", path)
	if _, err := findProgram(""); err == nil || !strings.Contains(err.Error(), "there is no llama-server in PATH") {
		t.Errorf("got %v, want that there is none", err)
	}
	for _, folder := range []string{path, own} {
		want := filepath.Join(folder, "llama-server")
		if err := os.WriteFile(want, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if got, err := findProgram(""); err != nil || got != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}
