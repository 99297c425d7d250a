package terminal

import (
	"fmt"
	"io"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
)

const (
	// framesPerSecond bounds how often the picture is drawn.
	framesPerSecond = 5
	// framesToRepair is after how many frames the picture is drawn whole and
	// not only what changed. Keys that somebody presses meanwhile are echoed
	// into it, and the echo of Enter moves it: it must come right again.
	framesToRepair = 10
)

// live runs the live picture.
type live struct {
	view    *View
	w       io.Writer
	program *tea.Program
	done    chan struct{}
}

func startLive(v *View, w io.Writer, env []string) *live {
	l := &live{view: v, w: w, done: make(chan struct{})}
	l.program = tea.NewProgram(&picture{view: v, width: 80, height: 24},
		tea.WithOutput(w), tea.WithInput(nil), tea.WithoutSignalHandler(),
		tea.WithFPS(framesPerSecond), tea.WithEnvironment(env))
	go func() {
		defer close(l.done)
		// An error means that the terminal is gone. The run goes on without a
		// picture.
		_, _ = l.program.Run()
	}()
	return l
}

func (l *live) close() {
	// Sending waits for the program, which waits for the terminal.
	go l.program.Send(last{})
	select {
	case <-l.done:
		// The picture had room for the beginning of the latest notes only.
		for _, note := range l.view.frame().notes {
			_, _ = fmt.Fprintf(l.w, "note: %s\n", note)
		}
	case <-time.After(farewell):
	}
}

type (
	tick time.Time
	// last asks for the last picture.
	last struct{}
)

// picture is the model of Bubble Tea: it looks at the View on each tick.
type picture struct {
	view          *View
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

func (p *picture) Update(message tea.Msg) (tea.Model, tea.Cmd) {
	switch message := message.(type) {
	case tea.WindowSizeMsg:
		p.width, p.height = message.Width, message.Height
	case tick:
		if p.view.events != nil {
			p.speed = p.meter.add(time.Time(message), p.view.events())
		}
		p.frames++
		if p.frames%framesToRepair == 0 {
			return p, tea.Batch(tea.ClearScreen, p.next())
		}
		return p, p.next()
	case last:
		p.speed, p.ended = nil, true
		// Whole, as the echo of Ctrl-C may have moved the cursor.
		return p, tea.Sequence(tea.ClearScreen, tea.Quit)
	}
	return p, nil
}

func (p *picture) View() tea.View {
	f := p.view.frame()
	f.speed = p.speed
	if p.ended {
		f.notes = nil // they are written in full below
		f.left = nil
	}
	content := draw(f, p.width, p.height)
	view := tea.NewView(content)
	view.DisableBracketedPasteMode = true
	// A hidden cursor would stay hidden if the process were killed. It rests
	// on the empty line below, where the shell goes on.
	view.Cursor = tea.NewCursor(0, strings.Count(content, "\n"))
	return view
}
