package compare

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Limit is a change that is not to be: of a metric, below a fall or above a rise.
type Limit struct {
	Metric string
	// Change is the limit as a share: -0.05 is a fall of 5 %.
	Change float64
	// text is as it was written.
	text string
}

func (l Limit) String() string { return l.text }

var limitForm = regexp.MustCompile(`^([a-z0-9_]+)\s*([<>])\s*([+-]?[0-9]+(?:\.[0-9]+)?)\s*%$`)

// ParseLimits reads limits such as "tokens_per_second<-5%,ttft>+10%".
func ParseLimits(text string) ([]Limit, error) {
	var all []Limit
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		found := limitForm.FindStringSubmatch(part)
		if found == nil {
			return nil, fmt.Errorf("%q is no limit: write METRIC<-5%% for a fall, METRIC>+10%% for a rise", part)
		}
		m, err := metricOf(found[1])
		if err != nil {
			return nil, err
		}
		percent, err := strconv.ParseFloat(found[3], 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no limit: %w", part, err)
		}
		if (found[2] == "<") != (percent < 0) || percent <= -100 || percent == 0 {
			return nil, fmt.Errorf("%q is no limit: a fall is written METRIC<-5%%, a rise METRIC>+10%%", part)
		}
		all = append(all, Limit{m.Name, percent / 100, part})
	}
	return all, nil
}

// Breach is a limit that a cell is beyond.
type Breach struct {
	Limit  string  `json:"limit"`
	B      string  `json:"run"`
	Cell   string  `json:"cell"`
	Title  string  `json:"title"`
	Change float64 `json:"change"`
	// Lo and Hi are the interval's ends, as changes.
	Lo float64 `json:"change_lo"`
	Hi float64 `json:"change_hi"`
}

func (b Breach) String() string {
	return fmt.Sprintf("%s: %s of %s changed by %+.1f %% [%+.1f, %+.1f]", b.Limit, b.Title, b.Cell, 100*b.Change, 100*b.Lo, 100*b.Hi)
}

// Breaches returns what is beyond a limit with its whole interval, and no verdict
// speaks against: neither a disturbed machine nor a client that was the limit.
// Unsure returns how many comparisons of a limit's metric could not tell.
func (r *Result) Breaches(limits []Limit) (breaches []Breach, unsure int) {
	for _, l := range limits {
		for _, p := range r.Pairs {
			for _, cell := range p.Cells {
				for _, c := range cell.Comparisons {
					if c.Metric != l.Metric {
						continue
					}
					switch {
					case c.Shift == nil || c.Verdict == Disturbed || c.Verdict == ClientBound || c.Verdict == TooLittle:
						unsure++
					case l.Change < 0 && c.Shift.Interval.Hi < 1+l.Change, l.Change > 0 && c.Shift.Interval.Lo > 1+l.Change:
						breaches = append(breaches, Breach{l.text, p.B, cell.Name, c.Title, c.Shift.Ratio - 1, c.Shift.Interval.Lo - 1, c.Shift.Interval.Hi - 1})
					}
				}
			}
		}
	}
	return breaches, unsure
}

// MetricsOf returns the metrics of limits and those that are compared anyway.
func MetricsOf(limits []Limit) []string {
	names := append([]string(nil), Metrics...)
	for _, l := range limits {
		known := false
		for _, name := range names {
			known = known || name == l.Metric
		}
		if !known {
			names = append(names, l.Metric)
		}
	}
	return names
}
