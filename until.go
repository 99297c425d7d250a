package exobench

import (
	"fmt"
	"strconv"
	"strings"
)

// Until says how well the medians of a cell are to be known: "3%" of tokens per
// second, or metrics by the names of their columns, as in
// "ttft_s=5%,tokens_per_second=3%". The share is that of half of the median's 95 %
// interval in the median.
type Until string

// Goal is how well the median of one metric is to be known.
type Goal struct {
	Metric string `json:"metric"`
	// HalfWidth is half of the interval's width, as a share of the median.
	HalfWidth float64 `json:"half_width"`
}

// untilMetric is what a share without a name is of.
const untilMetric = "tokens_per_second"

// Goals takes the text apart. Whether there are such metrics it does not know.
func (u Until) Goals() ([]Goal, error) {
	var goals []Goal
	named := map[string]bool{}
	for part := range strings.SplitSeq(string(u), ",") {
		part = strings.TrimSpace(part)
		name, share, found := strings.Cut(part, "=")
		if !found {
			name, share = untilMetric, part
		}
		name = strings.TrimSpace(name)
		number, isShare := strings.CutSuffix(strings.TrimSpace(share), "%")
		percent, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		switch {
		case !isShare || err != nil || name == "":
			return nil, fmt.Errorf("is %q: write 3%%, or METRIC=3%%,METRIC=5%%", u)
		case !(percent > 0 && percent < 100):
			return nil, fmt.Errorf("has %s: it must be above 0 %% and below 100 %%", part)
		case named[name]:
			return nil, fmt.Errorf("names %s twice", name)
		}
		named[name] = true
		goals = append(goals, Goal{name, percent / 100})
	}
	return goals, nil
}

// NewUntil writes goals as text.
func NewUntil(goals []Goal) Until {
	var parts []string
	for _, g := range goals {
		parts = append(parts, g.Metric+"="+strconv.FormatFloat(100*g.HalfWidth, 'g', 12, 64)+"%")
	}
	return Until(strings.Join(parts, ","))
}
