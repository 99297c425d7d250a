package report

import (
	"fmt"
	"slices"
	"strings"

	"exobench"
	"exobench/summary"
)

// several reports whether the run has more than one engine, so that each figure
// must say whose it is.
func several(run *summary.Run) bool { return len(run.Header.Engines) > 1 }

func engineName(e exobench.Engine) string { return strings.TrimSpace(e.Name + " " + e.Version) }

// engineNames lists the engines of the run.
func engineNames(run *summary.Run) string {
	var names []string
	for _, e := range run.Header.Engines {
		names = append(names, engineName(e))
	}
	return strings.Join(names, ", ")
}

// engineFact says how an engine was reached, and what it can be told.
func engineFact(e exobench.Engine) string {
	fact := engineName(e)
	if e.URL != "" {
		fact += " at " + e.URL
	}
	yes := func(ok bool, yes, no string) string {
		if ok {
			return yes
		}
		return no
	}
	return fact + "; " + strings.Join([]string{
		yes(e.LifeCycle, "loads driven and timed", "loads neither driven nor timed"),
		yes(e.CacheSwitch, "keeps prompts out of its cache when told", "no cache switch: cold prompts begin with a unique word"),
		yes(e.IgnoresEOS, "answers are as long as asked for", "answers end where the model ends them"),
	}, "; ")
}

// labelSentence says what the results are of, where that must be said.
func labelSentence(run *summary.Run) string {
	var sentences []string
	for _, e := range run.Header.Engines {
		if e.Label == "" {
			continue
		}
		whose := "These results"
		if several(run) {
			whose = "The results of " + engineText(run, e.Name)
		}
		sentences = append(sentences, strings.TrimSpace(fmt.Sprintf("%s are of: %s. %s", whose, strings.TrimSuffix(e.Label, "."), e.Caveat)))
	}
	return strings.Join(sentences, " ")
}

// labelMarks stand by the names of labelled engines, a different one for each
// label.
var labelMarks = []string{"†", "‡", "§", "¶"}

// engineText returns the name of an engine, with the mark of its label where
// the run has several engines.
func engineText(run *summary.Run, name string) string {
	e, _ := run.Header.Engine(name)
	if e.Label == "" || !several(run) {
		return name
	}
	i := slices.Index(labels(run), e.Label)
	return name + strings.Repeat(labelMarks[i%len(labelMarks)], 1+i/len(labelMarks))
}

// labels lists the different labels of the run's engines.
func labels(run *summary.Run) []string {
	var all []string
	for _, e := range run.Header.Engines {
		if e.Label != "" && !slices.Contains(all, e.Label) {
			all = append(all, e.Label)
		}
	}
	return all
}

// labelNotes explains the marks of engineText in a table.
func labelNotes(run *summary.Run, t *table) []string {
	column := slices.Index(t.heads, engineHead)
	if column < 0 {
		return nil
	}
	var notes []string
	for _, e := range run.Header.Engines {
		name := engineText(run, e.Name)
		if e.Label != "" && slices.ContainsFunc(t.rows, func(row []string) bool { return row[column] == name }) {
			notes = append(notes, name+": "+e.Label)
		}
	}
	return notes
}

// subjectHeads are the headings over subjectTexts.
func subjectHeads(run *summary.Run) []string {
	if several(run) {
		return []string{"Model", engineHead}
	}
	return []string{"Model"}
}

// subjectTexts are the first columns of every table: the name of a model, and
// its engine where there are several.
func subjectTexts(run *summary.Run, name, engine string) []string {
	if several(run) {
		return []string{name, engineText(run, engine)}
	}
	return []string{name}
}

// subjectName names a model in running text.
func subjectName(run *summary.Run, name, engine string) string {
	return strings.Join(subjectTexts(run, name, engine), " on ")
}

// cellName returns the model's name, with the placement where its engine has it
// in more than one.
func cellName(run *summary.Run, c summary.Cell) string {
	if c.Placement != "" && len(placements(run, c.Subject)) > 1 {
		return c.Model + " " + c.Placement
	}
	return c.Model
}

// placements lists where a subject was put, or was to be.
func placements(run *summary.Run, s summary.Subject) []string {
	var all []string
	add := func(placement string) {
		if placement != "" && !slices.Contains(all, placement) {
			all = append(all, placement)
		}
	}
	for _, c := range run.CellsOf(s) {
		add(c.Placement)
	}
	for _, f := range run.FailuresOf(s) {
		add(f.Placement)
	}
	return all
}
