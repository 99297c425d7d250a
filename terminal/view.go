package terminal

import (
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"exobench"
	"exobench/internal/panics"
)

// closeTimeout bounds how long Close waits for a terminal or pipe that takes no
// more output.
const closeTimeout = 2 * time.Second

// Options say what a View shows, and how.
type Options struct {
	// Events tells how many output events came in so far, for the current
	// speed. It is called from another goroutine; nil shows no current speed.
	Events func() int64
	// Quiet shows nothing but what Say is given.
	Quiet bool
	// Now is the clock of the session; nil is one that begins now.
	Now func() exobench.Instant
	// Env is the environment as "NAME=value", of which TERM, NO_COLOR and
	// their like are looked at; nil is the environment of the process.
	Env []string
}

// View is the picture of a run. Its methods may be called from any goroutine.
type View struct {
	w      io.Writer
	events func() int64
	now    func() exobench.Instant

	mu     sync.Mutex
	state  *state
	closed bool

	// One of live and lines is there. The narrator is nil where nothing is
	// wanted but what Say is given, and where the picture is live.
	live     *live
	lines    *lineWriter
	narrator *narrator
}

// Start begins to show a run on w: live where w is a file that is a terminal
// which can move its cursor, else in plain lines. The View must be closed.
func Start(w io.Writer, opt Options) *View {
	v := &View{w: w, events: opt.Events, now: opt.Now, state: newState()}
	if v.now == nil {
		v.now = exobench.NewClock().Now
	}
	env := opt.Env
	if env == nil {
		env = os.Environ()
	}
	file, isFile := w.(*os.File)
	if !opt.Quiet && isFile && term.IsTerminal(int(file.Fd())) && movesCursor(env) {
		v.live = startLive(v, w, env)
		return v
	}
	v.lines = startLines(w)
	if !opt.Quiet {
		v.narrator = new(narrator)
	}
	return v
}

// movesCursor reports whether the terminal obeys more than line feeds.
func movesCursor(env []string) bool {
	kind := ""
	for _, variable := range env {
		if value, ok := strings.CutPrefix(variable, "TERM="); ok {
			kind = value
		}
	}
	return kind != "" && kind != "dumb"
}

// Append takes an entry of the run's journal in; the header comes first. It
// takes about a microsecond, never waits for the terminal, keeps nothing of the
// entry that its owner may use again, and returns nil always.
func (v *View) Append(entry exobench.Entry) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed || v.live == nil && v.narrator == nil {
		return nil
	}
	v.state.add(entry)
	if v.narrator != nil {
		v.lines.add(v.state.at, v.narrator.narrate(v.state, entry))
	}
	return nil
}

// Say shows a line that is not of the journal, such as the answer to an
// interrupt, without harm to the picture: whoever else writes to its terminal
// garbles it. It does not wait for the terminal unless the View is closed: then
// it writes the line at once. The line is shown even where Quiet is set.
func (v *View) Say(line string) {
	line = oneLine(line)
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.closed:
		_, _ = io.WriteString(v.w, line+"\n")
	case v.live != nil:
		v.state.remarks = append(v.state.remarks, line)
		v.live.repair.Store(true)
	case v.narrator != nil:
		v.lines.add(v.now(), []string{line})
	default:
		v.lines.addText(line + "\n")
	}
}

// Close draws the last state, leaves it on the screen and gives the terminal
// back. It waits up to 2 s for a terminal that does not take it.
func (v *View) Close() {
	switch already := v.conclude(); {
	case already:
	case v.live != nil:
		v.live.close()
	default:
		v.lines.close()
	}
}

// conclude takes the end in, and reports whether that was done before.
func (v *View) conclude() (already bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	defer panics.Catch(nil)
	if v.closed {
		return true
	}
	v.closed = true
	v.state.close()
	if v.narrator != nil {
		v.lines.add(v.state.at, v.narrator.conclude(v.state))
	}
	return false
}

// frame returns the state as it is now.
func (v *View) frame() frame {
	now := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.state.frame(now)
}
