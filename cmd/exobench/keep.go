package main

import (
	"path/filepath"

	"exobench"
	"exobench/journal"
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

// follow returns the folder in which the journal is now: another one where the
// folder was taken away.
func (f folder) follow(w *journal.Writer) folder {
	if was, err := filepath.Abs(f.journal()); err == nil && was != w.Path() {
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
