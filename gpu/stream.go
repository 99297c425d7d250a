package gpu

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"exobench"
	"exobench/child"
)

// The time before a process that ended is started anew: doubled from the first to
// the last, and the first again after one that did well for a while.
const (
	firstBackOff = time.Second
	lastBackOff  = time.Minute
	wellTime     = 10 * time.Second
)

// longestLine is beyond what a line can be; longer ones are not read.
const longestLine = 16 << 10

// stream is a program that writes lines for as long as it runs, such as nvidia-smi
// told to go on. It is started again where it ends.
type stream struct {
	what, path string
	clock      exobench.Clock
	// args are the arguments of the next process; nil where there is nothing to ask.
	args func() []string
	// take takes a line in; it reports whether it is one of those expected.
	take func(now exobench.Instant, line []byte) bool
	// mend looks at what a process that ended had said; it reports whether the next
	// one will be asked something else, so that it need not wait.
	mend func(said string) bool
	// silence, where set, is how long a process may be silent before it counts as
	// one that hangs.
	silence time.Duration
	backOff time.Duration // first; firstBackOff but in tests

	mu sync.Mutex // of what follows
	// began is when the process that runs was started, first and last when its first
	// and its latest line came; 0 where there is none.
	began, first, last exobench.Instant
	process            *child.Process // the latest
	// reason is why there is no process, or why it is no good.
	reason string
	starts int
}

// run keeps the program running until ctx is done.
func (s *stream) run(ctx context.Context) {
	wait := s.backOff
	for ctx.Err() == nil {
		args := s.args()
		if args == nil {
			return
		}
		began := time.Now()
		said := s.once(ctx, args)
		if ctx.Err() != nil || s.mend != nil && s.mend(said) {
			continue
		}
		if time.Since(began) > wellTime {
			wait = s.backOff
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
		wait = min(2*wait, lastBackOff)
	}
}

// once runs the program once, and returns what it said besides what was expected.
func (s *stream) once(ctx context.Context, args []string) (said string) {
	out := &lines{stream: s}
	process, err := child.Start(child.Command{
		What: s.what, Path: s.path, Args: args, Env: append(os.Environ(), "LC_ALL=C"), Stdout: out,
	})
	if err != nil {
		s.fail(err.Error())
		return ""
	}
	s.mu.Lock()
	s.began, s.first, s.last, s.process = s.clock.Now(), 0, 0, process
	s.starts++
	s.mu.Unlock()
	hung := s.await(ctx, process)
	if process.Running() {
		_ = process.Kill() // one that hangs in the driver stays, and is no longer listened to
	}
	if ctx.Err() != nil {
		return ""
	}
	if !process.Running() {
		said = out.strange()
	}
	said = strings.TrimSpace(said + "\n" + process.Output())
	switch {
	case hung:
		s.fail("it wrote nothing for " + s.silence.String() + ", and was ended")
	case said != "":
		s.fail(oneLine(said))
	default:
		s.fail("it ended (" + process.How() + ") and said nothing")
	}
	return said
}

// await waits for the end of a process, or until it hangs.
func (s *stream) await(ctx context.Context, process *child.Process) (hung bool) {
	var look <-chan time.Time // nothing to look for
	if s.silence > 0 {
		tick := time.NewTicker(max(s.silence/10, time.Millisecond))
		defer tick.Stop()
		look = tick.C
	}
	for {
		select {
		case <-ctx.Done():
			return false
		case <-process.Ended():
			return false
		case <-look:
		}
		s.mu.Lock()
		quiet := s.clock.Now().Sub(max(s.began, s.last))
		s.mu.Unlock()
		if quiet > s.silence {
			return true
		}
	}
}

func (s *stream) fail(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began, s.first, s.reason = 0, 0, reason
}

// state is how a stream is doing.
type state struct {
	began, first exobench.Instant // as in stream
	reason       string
}

func (s *stream) state() state {
	s.mu.Lock()
	defer s.mu.Unlock()
	return state{s.began, s.first, s.reason}
}

// strangeLines is how many unexpected lines are kept.
const strangeLines = 8

// lines takes apart what a program writes. Only the goroutine that copies it uses
// it, until the program has ended.
type lines struct {
	stream *stream
	part   []byte
	odd    []string
}

func (l *lines) Write(p []byte) (int, error) {
	now := l.stream.clock.Now()
	for rest := p; len(rest) > 0; {
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		rest = after
		switch {
		case !whole:
			if len(l.part)+len(line) <= longestLine {
				l.part = append(l.part, line...)
			}
		case len(l.part) > 0:
			l.part = append(l.part, line...)
			l.line(now, l.part)
			l.part = l.part[:0]
		default:
			l.line(now, line)
		}
	}
	return len(p), nil
}

func (l *lines) line(now exobench.Instant, line []byte) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return
	}
	if l.stream.take(now, line) {
		l.stream.mu.Lock()
		if l.stream.last = now; l.stream.first == 0 {
			l.stream.first = now
		}
		l.stream.mu.Unlock()
	} else if len(l.odd) < strangeLines {
		l.odd = append(l.odd, string(line))
	}
}

// strange returns the unexpected lines.
func (l *lines) strange() string {
	odd := slices.Clone(l.odd)
	if len(l.part) > 0 {
		odd = append(odd, string(l.part))
	}
	return strings.Join(odd, "\n")
}

// longestReason is how much of what a program said is shown.
const longestReason = 300

func oneLine(text string) string {
	text = strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), "")
	if len(text) > longestReason {
		text = strings.ToValidUTF8(text[:longestReason], "") + "…"
	}
	return text
}
