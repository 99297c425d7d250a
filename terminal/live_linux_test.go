package terminal

import (
	"bytes"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exobench/internal/panics"
	"exobench/internal/pty"
)

// untilBegun parts a script after the first news of its first step.
func (s *script) untilBegun() (begun, rest []scriptLine) {
	i := slices.IndexFunc(s.lines, func(line scriptLine) bool { return line.at > 0 })
	return s.lines[:i+1], s.lines[i+1:]
}

func appendAll(v *View, lines []scriptLine) {
	for _, line := range lines {
		v.Append(line.entry)
	}
}

// screen collects what a terminal is told.
type screen struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func watch(controller *os.File) *screen {
	s := &screen{}
	go func() {
		_, _ = io.Copy(s, controller)
	}()
	return s
}

func (s *screen) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(data)
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

func (s *screen) await(t *testing.T, text string) {
	t.Helper()
	for range 500 {
		if strings.Contains(s.text(), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%q does not appear; the terminal was told %q", text, s.text())
}

func TestLiveLeavesTheTerminalAsItWas(t *testing.T) {
	controller, terminal := pty.Open(t)
	before, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	out := watch(controller)
	v := Start(terminal, Options{Env: []string{"TERM=xterm-256color"}})
	begun, rest := wholeRun().untilBegun()
	appendAll(v, begun)
	out.await(t, "placing")
	during, _ := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if *during != *before {
		t.Errorf("the modes of the terminal change from %+v to %+v", before, during)
	}
	appendAll(v, rest)
	v.Close()
	// The last state is drawn, though no frame was due, and notes stand in full.
	out.await(t, "4/4 requests")
	out.await(t, "note: mistral-7b has no card: it was added\r\n")
	told := out.text()
	if strings.LastIndex(told, "\x1b[?25h") < strings.LastIndex(told, "\x1b[?25l") {
		t.Error("the cursor stays hidden")
	}
	for sequence, what := range map[string]string{
		"\x1b[?1049h": "the alternate screen", "\x1b[?2004h": "bracketed paste", "\x1b[c": "a question",
		"\x1b[?2026$p": "a question", "\x1b[>4": "key modes", "\x1b[?1000h": "the mouse",
	} {
		if strings.Contains(told, sequence) {
			t.Errorf("%s is asked for: %q", what, sequence)
		}
	}
}

func TestWhatIsSaidShowsInThePictureAndBelowIt(t *testing.T) {
	controller, terminal := pty.Open(t)
	out := watch(controller)
	v := Start(terminal, Options{Env: []string{"TERM=xterm-256color"}})
	begun, rest := wholeRun().untilBegun()
	appendAll(v, begun)
	v.Say("interrupted: cleaning up")
	out.await(t, "  interrupted: cleaning up") // indented, as the picture is
	appendAll(v, rest)
	v.Close()
	out.await(t, "interrupted: cleaning up\r\n") // and in full, below it
	_, last, _ := strings.Cut(out.text(), "4/4 requests")
	if n := strings.Count(last, "interrupted: cleaning up"); n != 1 {
		t.Errorf("it is said %d times at the end: %q", n, last)
	}
}

func TestReasonsThatThePictureCutStandBelowIt(t *testing.T) {
	controller, terminal := pty.Open(t)
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 9, Col: 60}); err != nil {
		t.Fatal(err)
	}
	out := watch(controller)
	v := Start(terminal, Options{Env: []string{"TERM=xterm-256color"}})
	begun, rest := wholeRun().untilBegun()
	appendAll(v, begun)
	out.await(t, "placing")
	appendAll(v, rest)
	v.Close()
	out.await(t, "or give more nodes with --max-nodes 3\r\n")
}

func TestLiveWithoutColour(t *testing.T) {
	for _, test := range []struct {
		env      []string
		coloured bool
	}{
		{[]string{"TERM=xterm-256color"}, true},
		{[]string{"TERM=xterm-256color", "NO_COLOR=1"}, false},
	} {
		controller, terminal := pty.Open(t)
		out := watch(controller)
		v := Start(terminal, Options{Env: test.env})
		begun, _ := wholeRun().untilBegun()
		appendAll(v, begun)
		out.await(t, "▸")
		v.Close()
		if coloured := strings.Contains(out.text(), "\x1b[36m"); coloured != test.coloured {
			t.Errorf("%v: coloured is %v: %q", test.env, coloured, out.text())
		}
	}
}

func TestLinesOnATerminalThatCannotMoveItsCursor(t *testing.T) {
	for _, env := range [][]string{{"TERM=dumb"}, {}} {
		controller, terminal := pty.Open(t)
		out := watch(controller)
		v := Start(terminal, Options{Env: env})
		begun, _ := wholeRun().untilBegun()
		appendAll(v, begun)
		v.Close()
		out.await(t, "llama-3.2-1b: model 1 of 2\r\n")
		if strings.Contains(out.text(), "\x1b") {
			t.Errorf("%v: escape sequences: %q", env, out.text())
		}
	}
}

func TestAppendNeverWaitsForATerminalThatStands(t *testing.T) {
	controller, terminal := pty.Open(t)
	fill(t, int(terminal.Fd())) // and nobody reads, as after Ctrl-S
	v := Start(terminal, Options{Env: []string{"TERM=xterm-256color"}})
	slowest := time.Duration(0)
	for began := time.Now(); time.Since(began) < time.Second; {
		for _, line := range wholeRun().lines {
			before := time.Now()
			v.Append(line.entry)
			v.Say("a line")
			slowest = max(slowest, time.Since(before))
			time.Sleep(time.Millisecond)
		}
	}
	began := time.Now()
	v.Close()
	if took := time.Since(began); took < closeTimeout || took > closeTimeout+2*time.Second {
		t.Errorf("Close took %v, want %v", took, closeTimeout)
	}
	if slowest > 500*time.Millisecond {
		t.Errorf("an Append took %v", slowest)
	}
	controller.Close() // lets the picture end
	<-v.live.done
}

// fill writes to a terminal until it takes no more.
func fill(t *testing.T, fd int) {
	t.Helper()
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	// The kernel moves what it took to where the reader finds it, a little
	// later, and then takes more.
	for range 20 {
		for {
			if _, err := unix.Write(fd, make([]byte, 100)); err != nil {
				break
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		t.Fatal(err)
	}
}

// A view that panics tells the run, which then ends in order, and leaves the
// terminal and the run's own calls alone.
func TestAViewThatPanicsTellsTheRun(t *testing.T) {
	told := make(chan *panics.Error, 100)
	panics.Handle(func(p *panics.Error) { told <- p })
	defer panics.Handle(nil)
	controller, terminal := pty.Open(t)
	out := watch(controller)
	v := Start(terminal, Options{Env: []string{"TERM=xterm-256color"}, Events: func() int64 { panic("broken\nmap") }})
	begun, rest := wholeRun().untilBegun()
	appendAll(v, begun)
	select {
	case p := <-told:
		if !strings.HasSuffix(p.Error(), "itself: broken map") || !strings.Contains(string(p.Stack), "terminal.") {
			t.Errorf("it says %v\n%s", p, p.Stack)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nothing is told")
	}
	appendAll(v, rest)
	v.Close()
	if text := out.text(); strings.Contains(text, "panic") || strings.Contains(text, "goroutine") || strings.LastIndex(text, "\x1b[?25h") < strings.LastIndex(text, "\x1b[?25l") {
		t.Errorf("the terminal was told %q", text)
	}
	v.Say("it goes on") // closed: at once
	out.await(t, "it goes on")
}
