package terminal

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"exobench/internal/panics"
)

const (
	// framesPerSecond bounds how often the picture is drawn.
	framesPerSecond = 5
	// framesToRepair is after how many frames the picture is drawn whole and
	// not only what changed. Keys that somebody presses meanwhile are echoed
	// into it, and the echo of Enter moves it: it must come right again.
	framesToRepair = 10
	// eventSlack is how much later than it came an event may be noticed.
	eventSlack = time.Second / framesPerSecond
)

// live runs the live picture.
type live struct {
	view    *View
	w       io.Writer
	picture *picture
	program *tea.Program
	// repair asks for the next picture to be drawn whole.
	repair atomic.Bool
	done   chan struct{}
}

func startLive(v *View, w io.Writer, env []string) *live {
	l := &live{view: v, w: w, done: make(chan struct{})}
	l.picture = &picture{view: v, live: l, width: 80, height: 24}
	l.program = tea.NewProgram(l.picture,
		tea.WithOutput(w), tea.WithInput(nil), tea.WithoutSignalHandler(),
		tea.WithFPS(framesPerSecond), tea.WithEnvironment(env))
	go panics.Caught(func() {
		defer close(l.done)
		// An error means that the terminal is gone. The run goes on without a
		// picture.
		_, _ = l.program.Run()
	})()
	return l
}

func (l *live) close() {
	defer panics.Catch(nil) // of the last picture: the results are shown all the same
	// Sending waits for the program, which waits for the terminal.
	go panics.Caught(func() { l.program.Send(finish{}) })()
	select {
	case <-l.done:
		_, _ = io.WriteString(l.w, l.inFull())
	case <-time.After(closeTimeout):
	}
}

// inFull is what the last picture had no room for: the reasons of failures, and
// the whole of each remark.
func (l *live) inFull() string {
	var text strings.Builder
	f := l.view.frame()
	cut := draw(l.picture.last(f), l.picture.width, l.picture.height).cut
	slices.Sort(cut)
	for _, i := range cut {
		if r := &f.rows[i]; r.failed() {
			of := r.name + placementOf(r)
			if f.several() {
				of = oneLine(r.engine) + " " + of
			}
			fmt.Fprintf(&text, "%s: failed: %s\n", of, r.failure().text)
		}
	}
	for _, remark := range f.remarks {
		fmt.Fprintln(&text, remark)
	}
	return text.String()
}

type (
	tick time.Time
	// finish asks for the last picture.
	finish struct{}
)

// picture is the model of Bubble Tea: it looks at the View on each tick.
type picture struct {
	view          *View
	live          *live
	width, height int
	frames        int
	meter         meter
	speed         *float64
	ended         bool
}

func (p *picture) Init() tea.Cmd { return p.next() }

func (p *picture) next() tea.Cmd {
	return tea.Tick(time.Second/framesPerSecond, func(t time.Time) tea.Msg { return tick(t) })
}

func (p *picture) Update(message tea.Msg) (model tea.Model, next tea.Cmd) {
	model, next = p, tea.Quit // where it panics, which the run hears of
	defer panics.Catch(nil)
	return p.update(message)
}

func (p *picture) update(message tea.Msg) (tea.Model, tea.Cmd) {
	switch message := message.(type) {
	case tea.WindowSizeMsg:
		p.width, p.height = message.Width, message.Height
	case tick:
		if p.view.events != nil {
			p.speed = p.meter.add(time.Time(message), p.view.events())
		}
		p.frames++
		if p.live.repair.Swap(false) || p.frames%framesToRepair == 0 {
			return p, tea.Batch(tea.ClearScreen, p.next())
		}
		return p, p.next()
	case finish:
		p.speed, p.ended = nil, true
		// Whole, as the echo of Ctrl-C may have moved the cursor.
		return p, tea.Sequence(tea.ClearScreen, tea.Quit)
	}
	return p, nil
}

// last makes the frame of the last picture: what is written in full below it is
// not in it.
func (p *picture) last(f frame) frame {
	f.remarks = nil
	return f
}

func (p *picture) View() (drawn tea.View) {
	defer panics.Catch(nil) // nothing is drawn then
	f := p.view.frame()
	f.speed, f.idle = p.speed, p.meter.idle()
	if p.ended {
		f = p.last(f)
	}
	content := draw(f, p.width, p.height).text
	view := tea.NewView(content)
	view.DisableBracketedPasteMode = true
	// A hidden cursor would stay hidden if the process were killed. It rests
	// on the empty line below, where the shell goes on.
	view.Cursor = tea.NewCursor(0, strings.Count(content, "\n"))
	return view
}

// The current speed is over the last window, and shown from atLeast on.
const (
	window  = 2 * time.Second
	atLeast = time.Second
)

// meter turns a count that grows into its current speed.
type meter struct {
	points []point
	// grown is when the count was last seen to have grown, else first seen.
	grown time.Time
}

type point struct {
	at    time.Time
	count int64
}

// add notes the count at a time, and returns the speed per second since the
// oldest point within the window; nil while that is too short ago.
func (m *meter) add(at time.Time, count int64) *float64 {
	if n := len(m.points); n == 0 || m.points[n-1].count != count {
		m.grown = at
	}
	m.points = append(m.points, point{at, count})
	// The newest point that is a window old stays: it is where the window begins.
	for len(m.points) > 2 && at.Sub(m.points[1].at) >= window {
		m.points = m.points[1:]
	}
	first := m.points[0]
	span := at.Sub(first.at)
	if span < atLeast {
		return nil
	}
	return new(float64(count-first.count) / span.Seconds())
}

// idle returns how long the count has not grown.
func (m *meter) idle() time.Duration {
	if len(m.points) == 0 {
		return 0
	}
	return m.points[len(m.points)-1].at.Sub(m.grown)
}
