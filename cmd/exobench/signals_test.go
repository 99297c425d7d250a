package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"exobench/journal"

	"exobench"
)

// signalled sends signals to a process, one right after the other.
func signalled(t *testing.T, cmd *exec.Cmd, signals ...os.Signal) {
	t.Helper()
	for _, s := range signals {
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
}

// A closed terminal sends SIGHUP twice, timeout(1) its signal twice, and the
// second must not end exobench before the model is taken away.
func TestSignalsThatComeTwiceEndTheRunInOrder(t *testing.T) {
	t.Parallel()
	for _, signals := range [][]os.Signal{
		{syscall.SIGHUP, syscall.SIGHUP},
		{syscall.SIGTERM, syscall.SIGTERM},
		{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGTERM},
		{os.Interrupt, os.Interrupt}, // timeout -s INT
		{os.Interrupt, syscall.SIGTERM},
		{syscall.SIGQUIT},
	} {
		t.Run(fmt.Sprint(signals), func(t *testing.T) {
			cmd, out, engine := longRun(t)
			signalled(t, cmd, signals...)
			cmd.Wait()
			checkOrderlyEnd(t, cmd, out, engine)
		})
	}
}

func TestASignalThatWasIgnoredAtTheStartStaysSo(t *testing.T) {
	cmd, out, engine := longRunIn(t, func(cmd *exec.Cmd) {
		// As nohup(1) does it, which is not everywhere.
		cmd.Args = append([]string{"sh", "-c", `trap "" HUP; exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
		shell, err := exec.LookPath("sh")
		if err != nil {
			t.Skip(err)
		}
		cmd.Path = shell
	})
	before := requestsIn(t, out)
	signalled(t, cmd, syscall.SIGHUP)
	for deadline := time.Now().Add(time.Minute); requestsIn(t, out) < before+20; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the run does not go on")
		}
	}
	signalled(t, cmd, os.Interrupt)
	cmd.Wait()
	checkOrderlyEnd(t, cmd, out, engine)
}

// What was under way while exobench was stopped looks slow, and is not.
func TestThatARunWasStoppedIsSaid(t *testing.T) {
	cmd, out, engine := longRun(t)
	signalled(t, cmd, syscall.SIGSTOP)
	time.Sleep(50 * time.Millisecond)
	signalled(t, cmd, syscall.SIGCONT)
	awaitEntry(t, out, "exobench was stopped for a while", 1)
	signalled(t, cmd, os.Interrupt)
	cmd.Wait()
	checkOrderlyEnd(t, cmd, out, engine)
	if text := readFile(t, filepath.Join(out, "report.md")); !strings.Contains(text, "exobench was stopped for a while") {
		t.Error("the report does not say so")
	}
}

// requestsIn counts the requests in a journal that is being written.
func requestsIn(t *testing.T, out string) int {
	t.Helper()
	return strings.Count(readFile(t, out+"/journal.jsonl"), `"type":"request"`)
}

func TestASecondInterruptEndsExobenchAtOnce(t *testing.T) {
	stderr := new(lockedBuffer)
	cmd, out, engine := longRunIn(t, func(cmd *exec.Cmd) { cmd.Stderr = stderr })
	// An engine that hangs keeps the end in order from coming to its end.
	if err := syscall.Kill(engine, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Kill(engine, syscall.SIGKILL) })
	signalled(t, cmd, os.Interrupt)
	for deadline := time.Now().Add(time.Minute); !strings.Contains(stderr.String(), "another interrupt"); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("nothing is said of another interrupt: %s", stderr.String())
		}
	}
	time.Sleep(2 * sameSignal)
	signalled(t, cmd, os.Interrupt)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
	all := entries(t, out)
	if _, ended := all[len(all)-1].(*exobench.End); ended {
		t.Error("it ended in order")
	}
}

// A hung engine of exobench's own costs some seconds at Ctrl-C, and is gone.
func TestAnEmbeddedEngineThatHangsIsKilled(t *testing.T) {
	t.Parallel()
	cmd, out, engine := longRun(t)
	if err := syscall.Kill(engine, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	signalled(t, cmd, os.Interrupt)
	cmd.Wait()
	t.Logf("it took %v", time.Since(began))
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
	awaitGone(t, engine)
	said := false
	for _, e := range entries(t, out) {
		note, ok := e.(*exobench.Note)
		said = said || ok && strings.Contains(note.Text, "was killed")
	}
	if !said {
		t.Error("nothing is said of the engine that hung")
	}
}

// silent listens and never answers.
func silent(t *testing.T) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return "http://" + listener.Addr().String()
}

func TestAnInterruptBeforeAnythingIsMeasuredSaysSo(t *testing.T) {
	url := silent(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"run", "--engine", "openai", "--url", url, "--model", "m"}, "exobench: interrupted before anything was measured\n"},
		{[]string{"run", "--engine", "exo", "--url", url}, "exobench: interrupted before anything was measured\n"},
		{[]string{"run", "--engine", "ollama", "--url", url}, "exobench: interrupted before anything was measured\n"},
		{[]string{"models", "--url", url}, "exobench: interrupted\n"},
		{[]string{"detect", "--url", url}, "exobench: interrupted\n"},
	} {
		t.Run(strings.Join(c.args[:3], " "), func(t *testing.T) {
			t.Parallel()
			var stderr lockedBuffer
			cmd := command(t, t.TempDir(), c.args...)
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(500 * time.Millisecond) // until it waits, or a little before
			signalled(t, cmd, os.Interrupt)
			cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || !strings.HasSuffix(stderr.String(), c.want) {
				t.Errorf("exit code %d, %q; want %d and %q", code, stderr.String(), exitInterrupted, c.want)
			}
		})
	}
}

// lockedBuffer is a buffer that one writes while another reads.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// The reports of a long journal take a while, which an interrupt ends.
func TestReportHeedsTheFirstInterrupt(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	if got := exobenchIn(t, t.TempDir(), tinyRun(t, "--repeat", "1", "--no-calibrate", "--out", out)...); got.code != exitOK {
		t.Fatal(got.stderr)
	}
	was := readFile(t, filepath.Join(out, "report.md"))
	file, err := os.OpenFile(filepath.Join(out, "journal.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	note := journalLine(t, &exobench.Note{At: 1, Session: 1, Text: strings.Repeat("long ", 100)})
	_, err = file.WriteString(strings.Repeat(note, 200_000))
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	var stderr lockedBuffer
	cmd := command(t, t.TempDir(), "report", out)
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	signalled(t, cmd, os.Interrupt)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || !strings.Contains(stderr.String(), "exobench: interrupted: the journal is as it was") {
		t.Errorf("exit code %d, %s", code, stderr.String())
	}
	if readFile(t, filepath.Join(out, "report.md")) != was {
		t.Error("report.md is half a report")
	}
}

// journalLine returns the line of an entry, with its end.
func journalLine(t *testing.T, e exobench.Entry) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), journal.Name)
	w, err := journal.Create(path, &exobench.Header{Schema: exobench.SchemaVersion}, journal.Options{})
	if err == nil {
		err = errors.Join(w.Append(e), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(readFile(t, path), "\n")
	return lines[1]
}
