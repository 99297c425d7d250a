package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"

	"exobench"
	"exobench/journal"
)

// checkJournal reads the journal of a run: whatever happened, no line that was
// written whole may be unreadable.
func (s *soak) checkJournal(out string) {
	file, err := os.Open(filepath.Join(out, "journal.jsonl"))
	if err != nil {
		return // it was ended before it began
	}
	defer file.Close()
	r := journal.NewReader(file)
	for e := range r.All() {
		if record, ok := e.(*exobench.Record); ok {
			s.requests++
			if record.Outcome != exobench.OK {
				s.met++
			}
		}
	}
	if r.Err() != nil || r.Damage() > 0 {
		s.violation(out, "the journal cannot be read: %v, %d damaged lines", r.Err(), r.Damage())
	}
}

// checkReport looks at the reports of a run. Where the run did not end by itself,
// they are made first, from whatever is in its journal.
func (s *soak) checkReport(out string, anew bool) {
	if _, err := os.Stat(filepath.Join(out, "journal.jsonl")); err != nil {
		return
	}
	if anew {
		text, err := exec.Command(s.program, "report", out).CombinedOutput()
		if code, bad := err.(*exec.ExitError); bad && code.ExitCode() != codeFailed {
			s.violation(out, "report: %v\n%s", err, text)
			return
		}
	}
	summary, err := os.ReadFile(filepath.Join(out, "summary.json"))
	if err != nil || !json.Valid(summary) {
		s.violation(out, "no summary.json that can be read: %v", err)
	}
	if info, err := os.Stat(filepath.Join(out, "report.md")); err != nil || info.Size() == 0 {
		s.violation(out, "no report.md: %v", err)
	}
}
