package terminal

import (
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"exobench"
)

// farewell bounds how long Close waits for a terminal or pipe that takes no
// more output.
const farewell = 2 * time.Second

// Options say what a View shows, and how.
type Options struct {
	// Engines are measured in this order, each with its models in theirs. What
	// is not known in advance may be left out, even all; it shows when its turn
	// comes.
	Engines []exobench.Engine
	// Events tells how many output events came in so far, for the current
	// speed. It is called from another goroutine; nil shows no current speed.
	Events func() int64
	// Quiet shows nothing at all.
	Quiet bool
	// Env is the environment as "NAME=value", of which TERM, NO_COLOR and
	// their like are looked at; nil is the environment of the process.
	Env []string
}

// View is the picture of a run. Its methods may be called from any goroutine.
type View struct {
	events func() int64

	mu    sync.Mutex
	state state
	// zero is the wall time of the run's epoch, as the latest news tells.
	zero   time.Time
	closed bool

	// At most one of the two is there.
	live  *live
	plain *plain
}

// Start begins to show a run on w: live where w is a terminal that can move its
// cursor, else in plain lines. The View must be closed.
func Start(w *os.File, opt Options) *View {
	v := newView(opt)
	if opt.Quiet {
		return v
	}
	env := opt.Env
	if env == nil {
		env = os.Environ()
	}
	if term.IsTerminal(int(w.Fd())) && movesCursor(env) {
		v.live = startLive(v, w, env)
		return v
	}
	v.plain = startPlain(w)
	v.plain.tell(v.state.at, []string{title(opt.Engines)})
	return v
}

func newView(opt Options) *View {
	return &View{events: opt.Events, zero: time.Now(), state: newState(opt.Engines)}
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

// Show takes note of what a run tells. It takes about a microsecond and never
// waits for the terminal.
func (v *View) Show(p exobench.Progress) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed || v.live == nil && v.plain == nil {
		return
	}
	if p.At.Reached() {
		v.zero = time.Now().Add(-time.Duration(p.At))
	}
	v.state.apply(p)
	if v.plain != nil {
		v.plain.tell(v.state.at, v.plain.narrator.tell(&v.state, p))
	}
}

// Close draws the last state, leaves it on the screen and gives the terminal
// back. It waits up to 2 s for a terminal that does not take it.
func (v *View) Close() {
	v.mu.Lock()
	already := v.closed
	v.closed = true
	if !already {
		v.state.stop()
		if v.plain != nil {
			v.plain.tell(v.state.at, v.plain.narrator.end(&v.state))
		}
	}
	v.mu.Unlock()
	switch {
	case already:
	case v.live != nil:
		v.live.close()
	case v.plain != nil:
		v.plain.close()
	}
}

// frame returns the state as it is now.
func (v *View) frame() frame {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.state.frame(exobench.Instant(max(0, time.Since(v.zero))))
}
