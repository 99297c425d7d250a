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
	either := func(ok bool, yes, no string) string {
		if ok {
			return yes
		}
		return no
	}
	return fact + "; " + strings.Join([]string{
		either(e.LifeCycle, "loads driven and timed", "loads neither driven nor timed"),
		either(e.CacheSwitch, "keeps prompts out of its cache when told", "no cache switch: cold prompts begin with letters of their own"),
		either(e.IgnoresEOS, "answers are as long as asked for", "answers end where the model ends them"),
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

// engineHead is the heading of the column of engines.
const engineHead = "Engine"

// labelled has a table explain the marks of the engines in it.
func labelled(run *summary.Run, t *Table) *Table {
	column := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Head == engineHead })
	if column < 0 {
		return t
	}
	for _, e := range run.Header.Engines {
		name := engineText(run, e.Name)
		shown := func(row []Text) bool { return row[column].String() == name }
		if e.Label != "" && slices.ContainsFunc(t.Rows, shown) {
			t.Legend = append(t.Legend, name+": "+e.Label)
		}
	}
	return t
}

// notTimed names the engines whose loads were not timed.
func notTimed(run *summary.Run) string {
	var names []string
	for _, e := range run.Header.Engines {
		if !e.LifeCycle {
			names = append(names, e.Name)
		}
	}
	switch {
	case len(names) == 0:
		return ""
	case !several(run):
		return "exobench did not drive the loads of this engine, so they were not timed."
	}
	return fmt.Sprintf("exobench did not drive the loads of %s, so they were not timed.", strings.Join(names, ", "))
}
