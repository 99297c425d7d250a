package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// spreads is the section on how values differ.
func spreads(run *summary.Run) Section {
	s := Section{Title: "How values differ"}
	t, several, one := spreadTable(run)
	if t == nil {
		return s
	}
	sentences := []string{"Standard deviations as shares of the value: between repeats of one prompt in one load, and between prompts, which are fixed, so that these are in no interval."}
	if several {
		sentences = append(sentences, "That between loads is beyond what differs within them.")
	}
	if one {
		sentences = append(sentences, "How much loads of a model differ is unknown where it was loaded once; --loads tells.")
	}
	sentences = append(sentences, "The last column is what would halve the interval of the median, if values go on to differ so: each number where the other stays.")
	s.prose(sentences...)
	s.add(t)
	return s
}

// spreadTable has a row for each metric of a cell; nil where none has a spread. It
// tells whether there are cells of several loads, and of one.
func spreadTable(run *summary.Run) (t *Table, several, one bool) {
	t = cellTable(run, left("Of"), right("Between repeats"), right("Between prompts"), right("Between loads"), left("To halve the interval"))
	for i := range run.Cells {
		c := &run.Cells[i]
		for _, name := range []string{metric.TokenRate, metric.Latency} {
			s := c.Spread[name]
			if s == nil || s.Repeats == nil && s.Loads == nil {
				continue
			}
			m, _ := metric.ByName(name)
			loads := spreadShare(s.Loads)
			if s.Loads == nil {
				loads, one = "unknown", true
			} else {
				several = true
			}
			t.add(append(cellFields(run, c), m.Title, spreadShare(s.Repeats), spreadShare(s.Prompts), loads, effortText(s))...)
		}
	}
	if len(t.Rows) == 0 {
		return nil, false, false
	}
	return labelled(run, t), several, one
}

func spreadShare(s *float64) string {
	if s == nil {
		return dash
	}
	return percent(*s)
}

// effortText says what would halve an interval.
func effortText(s *summary.Spread) string {
	e := s.ToHalve
	if e == nil {
		return dash
	}
	repeats := "no number of repeats: loads differ too much"
	if e.MoreRepeats != nil {
		repeats = many(*e.MoreRepeats, "more repeat")
	}
	switch {
	case s.Loads == nil && e.MoreRepeats == nil:
		return dash
	case s.Loads == nil:
		return repeats
	case e.MoreLoads == nil:
		return repeats
	case e.MoreRepeats == nil:
		return many(*e.MoreLoads, "more load") + "; " + repeats
	}
	return many(*e.MoreLoads, "more load") + ", or " + repeats
}

func many(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

// stopping is the section on why cells ended, where the plan wants medians to be known
// so well.
func stopping(run *summary.Run) Section {
	s := Section{Title: "When cells ended"}
	var list List
	for i := range run.Cells {
		if text := endText(run, &run.Cells[i]); text != "" {
			list = append(list, plainText(text))
		}
	}
	if len(list) == 0 {
		return s
	}
	s.prose("Each load of a model went on, repeat by repeat, until half of the 95 % interval of that load was as small a share of the median as wanted.")
	s.add(list)
	return s
}

// endText names a cell and says why it ended; empty where its plan has no such wish, or
// nothing of it ended.
func endText(run *summary.Run, c *summary.Cell) string {
	if c.Until == nil || len(c.Until.Ends) == 0 {
		return ""
	}
	name := subjectName(run, cellName(run, c), c.Engine)
	switch {
	case len(run.Header.Plan.Traffic) < 2:
	case c.Traffic.Open():
		name += ", " + c.Traffic.String()
	default:
		name += ", concurrency " + c.Traffic.String()
	}
	return name + ": " + untilText(c)
}

// untilText says why a cell ended, and how well its medians are known.
func untilText(c *summary.Cell) string {
	u := c.Until
	loads := len(u.Ends)
	var parts []string
	for _, reason := range []exobench.BlockEndReason{
		exobench.BlockPrecise, exobench.BlockDone, exobench.BlockTime, exobench.BlockNoAnswer, exobench.BlockInterrupted, exobench.BlockFailed,
	} {
		var repeats []int
		for _, e := range u.Ends {
			if e.Reason == reason {
				repeats = append(repeats, e.Repeats)
			}
		}
		if len(repeats) == 0 {
			continue
		}
		what := map[exobench.BlockEndReason]string{
			exobench.BlockPrecise: "stopped after " + repeatsText(repeats) + ": " + goalsText(c.Stop.Until),
			exobench.BlockDone:    fmt.Sprintf("at the most repeats (%d)", repeats[0]),
			exobench.BlockTime:    "at the time limit, after " + repeatsText(repeats),
		}[reason]
		if what == "" {
			what = cmp.Or(brokenOff[reason], "interrupted") + ", after " + repeatsText(repeats)
		}
		if loads > 1 && loads > len(repeats) {
			what = fmt.Sprintf("%d of %d loads ", len(repeats), loads) + what
		}
		parts = append(parts, what)
	}
	text := strings.Join(parts, "; ")
	precise := !slices.ContainsFunc(u.Ends, func(e summary.LoadEnd) bool { return e.Reason != exobench.BlockPrecise })
	return text + reachedText(u, precise, loads)
}

// repeatsText counts repeats of one load, or of each.
func repeatsText(repeats []int) string {
	var all []string
	for _, n := range repeats {
		all = append(all, strconv.Itoa(n))
	}
	if len(repeats) == 1 {
		return many(repeats[0], "repeat")
	}
	last := len(all) - 1
	return strings.Join(all[:last], ", ") + " and " + all[last] + " repeats"
}

// goalsText says what a plan wants: "tokens/s within ±3 %".
func goalsText(u exobench.Until) string {
	goals, _ := u.Goals()
	var all []string
	for _, g := range goals {
		all = append(all, goalTitle(g)+" within ±"+percentText(g.HalfWidth))
	}
	return strings.Join(all, ", ")
}

// reachedText says how well medians are known now.
func reachedText(u *summary.Until, precise bool, loads int) string {
	var all []string
	wanted := func(g summary.Reached) string {
		if loads > 1 {
			return "wanted in each ±" + percentText(g.HalfWidth)
		}
		return "wanted ±" + percentText(g.HalfWidth)
	}
	for _, g := range u.Goals {
		text := goalTitle(g.Goal) + " has no interval"
		switch {
		case g.Now == nil:
		case precise && loads == 1 && len(u.Goals) == 1:
			text = "±" + percentText(*g.Now)
		case precise:
			text = goalTitle(g.Goal) + " ±" + percentText(*g.Now)
		case *g.Now > g.HalfWidth:
			text = fmt.Sprintf("%s still ±%s, %s", goalTitle(g.Goal), percentText(*g.Now), wanted(g))
		default:
			text = fmt.Sprintf("%s ±%s, %s", goalTitle(g.Goal), percentText(*g.Now), wanted(g))
		}
		all = append(all, text)
	}
	text := strings.Join(all, "; ")
	switch {
	case loads > 1 && precise:
		return " in each load (over the loads " + text + ")"
	case loads > 1:
		return " (over the loads " + text + ")"
	case precise:
		return " (" + text + ")"
	}
	return ": " + text
}

// goalTitle names a goal's metric within a sentence.
func goalTitle(g exobench.Goal) string {
	m, known := metric.ByName(g.Metric)
	if !known {
		return g.Metric
	}
	title := []rune(m.Title)
	if len(title) > 1 && unicode.IsLower(title[1]) {
		title[0] = unicode.ToLower(title[0])
	}
	return string(title)
}
