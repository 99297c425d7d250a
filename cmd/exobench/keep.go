package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"exobench"
	"exobench/internal/panics"
	"exobench/journal"
	"exobench/run"
	"exobench/summary"
)

// secretive reports whether a secret is in play in a run: an answer may hold it,
// so the journal is then its owner's alone to read.
func secretive(p exobench.Plan) bool {
	for _, e := range p.Engines {
		if len(e.Headers) > 0 || e.Options["api-key-env"] != "" || e.Options["api-key-file"] != "" || e.URLSecret {
			return true
		}
	}
	return false
}

// tellTrouble says at once what became of the journal, and has the report say it.
func (s session) tellTrouble(env environment, writer *journal.Writer) func(journal.Trouble) {
	return func(t journal.Trouble) {
		text := t.What
		switch {
		case t.Saved != "":
			text += ": it is saved anew as " + t.Saved
		case t.Lost:
			text += ": the run ends"
		}
		if env.speaker != nil {
			env.Say(text)
		}
		if !t.Lost {
			// A failure shows in the entries that follow.
			_ = writer.Append(&exobench.Note{At: s.clock.Now(), Session: s.id, Text: text})
		}
	}
}

// tellStops has the report say when exobench was stopped, as by Ctrl-Z, and went
// on: an engine that worked meanwhile looks as if it had been slow. It goes on
// until the function that it returns is called. After an interrupt nothing is
// said, since service managers send a SIGCONT with what ends a process.
func (s session) tellStops(ctx context.Context, recorder run.Recorder) (end func()) {
	continued, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(continued, syscall.SIGCONT)
	go panics.Caught(func() {
		defer close(done)
		for range continued {
			if ctx.Err() == nil {
				// A failure shows in the entries that follow.
				_ = recorder.Append(&exobench.Note{At: s.clock.Now(), Session: s.id, Text: stoppedText})
			}
		}
	})()
	return func() { signal.Stop(continued); close(continued); <-done }
}

const stoppedText = "exobench was stopped for a while, as by Ctrl-Z, and then continued (SIGCONT): requests that were under way look as much slower as it was stopped"

// follow returns the folder in which the journal is now: another one where the
// folder was taken away. Where the working directory went with it, a relative path
// leads nowhere, though the journal is where it was.
func (f folder) follow(w *journal.Writer) folder {
	is, err := os.Stat(w.Path())
	if err != nil {
		return f
	}
	if was, err := os.Stat(f.journal()); err != nil || !os.SameFile(was, is) {
		return folder{path: filepath.Dir(w.Path()), runID: f.runID}
	}
	return f
}

// mostShown is how many damaged lines a warning names.
const mostShown = 10

// noteDamage puts into the summary which lines of the journal were skipped.
func noteDamage(run *summary.Run, r *journal.Reader) {
	run.Damaged = r.Damage()
	for i, line := range r.Damaged() {
		if i == mostShown {
			break
		}
		run.DamagedAt = append(run.DamagedAt, line.Line)
	}
}
