package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"exobench/compare"
	"exobench/metric"
)

// Comparison returns what a comparison came to, with what was beyond a limit.
func Comparison(r *compare.Result, breaches []compare.Breach) *Document {
	d := &Document{Title: "exobench: what changed"}
	for _, b := range breaches {
		d.Lead = append(d.Lead, Paragraph{Text: plainText("Beyond the limit " + b.String() + "."), Callout: true})
	}
	for i := range r.Pairs {
		d.Sections = append(d.Sections, pairSection(r, &r.Pairs[i]))
	}
	d.Sections = append(d.Sections, readingSection(r))
	return d
}

// pairSection is of two runs.
func pairSection(r *compare.Result, p *compare.Pair) Section {
	s := Section{Title: p.B + " beside " + p.A}
	var list List
	for _, u := range p.Unlike {
		text := u.String()
		if u.Forbids {
			text += " (forbids a comparison)"
		}
		list = append(list, plainText(text))
	}
	if len(list) > 0 {
		s.prose("What differs besides what was measured:")
		s.add(list)
	}
	for _, only := range []struct {
		names []string
		name  string
	}{{p.OnlyA, p.A}, {p.OnlyB, p.B}} {
		if len(only.names) > 0 {
			s.prose(fmt.Sprintf("Only %s has %s.", only.name, strings.Join(only.names, ", ")))
		}
	}
	switch {
	case p.Forbidden():
		s.add(Paragraph{Text: plainText("These runs are of different things, so nothing is compared. --force compares them all the same."), Callout: true})
		return s
	case len(p.Cells) == 0:
		s.prose("They have no cell in common: nothing is compared.")
		return s
	}
	s.add(comparisonTable(r, p))
	return s
}

// comparisonTable has a row for each metric of each cell.
func comparisonTable(r *compare.Result, p *compare.Pair) *Table {
	t := &Table{Columns: []Column{left("Cell"), left("Metric"), right(p.A), right(p.B), right("Change [95 %]"), left("Verdict"), left("To tell " + percentText(r.MinEffect))}}
	for i := range t.Columns {
		t.Columns[i].Keep = i != 2 && i != 3 && i != 6
	}
	scales := scalesOf(p)
	for _, cell := range p.Cells {
		if len(cell.Comparisons) == 0 {
			t.add(cell.Name, dash, dash, dash, dash, "not comparable", dash)
			continue
		}
		for i, c := range cell.Comparisons {
			m, _ := metric.ByName(c.Metric)
			scale, name := scales[c.Metric], cell.Name
			if i > 0 {
				name = ""
			}
			t.add(name, heading(m, scale), sideText(c.A, scale), sideText(c.B, scale), changeText(&c), verdictText(&c), neededText(&c))
			var notes []string
			for _, caution := range c.Cautions {
				notes = append(notes, cautionText(caution))
			}
			t.refer(5, notes)
		}
	}
	return t
}

// scalesOf returns the scale of each metric.
func scalesOf(p *compare.Pair) map[string]scale {
	values, units := map[string][]float64{}, map[string]metric.Unit{}
	for _, cell := range p.Cells {
		for _, c := range cell.Comparisons {
			values[c.Metric] = append(values[c.Metric], c.A.Median, c.B.Median)
			units[c.Metric] = c.Unit
		}
	}
	scales := map[string]scale{}
	for name, of := range values {
		scales[name] = scaleFor(units[name], of)
	}
	return scales
}

func sideText(s compare.Side, scale scale) string {
	if s.N == 0 {
		return dash
	}
	return scale.text(s.Median)
}

// changeText writes a ratio as a change, with its interval.
func changeText(c *compare.Comparison) string {
	if c.Shift == nil {
		return dash
	}
	iv := c.Shift.Interval
	return fmt.Sprintf("%s %% [%s, %s]", change(c.Shift.Ratio), change(iv.Lo), change(iv.Hi))
}

func change(ratio float64) string {
	share := 100 * (ratio - 1)
	if math.Abs(share) < 0.05 {
		share = 0
	}
	if math.Abs(share) >= 100 {
		return fmt.Sprintf("%+.0f", share)
	}
	return fmt.Sprintf("%+.1f", share)
}

// verdictText words a verdict.
func verdictText(c *compare.Comparison) string {
	switch c.Verdict {
	case compare.Equal:
		return fmt.Sprintf("equal within ±%.1f %%", 100*max(c.Shift.Equal, 0.001))
	case compare.TooLittle:
		if c.Shift == nil {
			return "too little data"
		}
		return "useless: too little data"
	case compare.Disturbed:
		return "cannot tell: disturbed"
	case compare.ClientBound:
		return "cannot tell: client-bound"
	}
	return string(c.Verdict)
}

// neededText says how much more data would tell the least change that matters.
func neededText(c *compare.Comparison) string {
	switch {
	case c.Shift == nil:
		return missing(c)
	case c.Needed == nil:
		return "quieter figures"
	case *c.Needed <= 1:
		return "enough"
	}
	return fmt.Sprintf("%s × the %s", strconv.FormatFloat(math.Ceil(*c.Needed*10)/10, 'f', -1, 64), ofWhat(c))
}

func percentText(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }

func ofWhat(c *compare.Comparison) string {
	if c.A.Loads > 1 || c.B.Loads > 1 {
		return "loads"
	}
	return "requests"
}

// missing says what a comparison lacks.
func missing(c *compare.Comparison) string {
	switch {
	case c.A.N == 0 || c.B.N == 0:
		return "one has no figure"
	case c.Metric == metric.MemoryAdditional:
		return "--loads 3 or more"
	}
	return "more --repeat"
}

func cautionText(c compare.Caution) string {
	switch c {
	case compare.OneLoad:
		return "Each model was loaded once, and two loads of one model may differ by as much: repeat both runs with --loads 3 or more before you act on it."
	case compare.Unquiet:
		return "Other processes or the machine's host took part of the machine meanwhile, though not enough to explain all of it: repeat it on a quieter machine."
	}
	return string(c)
}

// readingSection says how to read it, in words for people who know no statistics
// and with what those who do want to know.
func readingSection(r *compare.Result) Section {
	s := Section{Title: "How to read it"}
	least := percentText(r.MinEffect)
	s.prose("A change is that of the second run to the first. In brackets is where the true change lies, in 19 of 20 such comparisons.",
		"Better and worse: the change is more than noise, and at least "+least+" (--min-effect).",
		"Equal: it is shown to be less than that.",
		"No evidence: this much data shows neither; it is no proof that nothing changed.")
	if slices.ContainsFunc(r.Pairs, func(p compare.Pair) bool { return len(p.Cells) > 0 }) {
		s.prose("Changes are of the same prompts, each beside itself, and so not quite those of the two medians beside them. With one load of each model they are by the aligned rank test of Hodges and Lehmann, within prompts; with several they are of the loads' levels, by Welch's test.",
			"Tests are corrected for how many there are of a pair (Holm), intervals are not.")
	}
	return s
}
