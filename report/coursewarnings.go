package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"exobench/metric"
	"exobench/summary"
)

// courseSentence has the sentences about requests that are not alike though they
// should be.
func courseSentence(figures summary.Figures) string {
	switch f := figures.(type) {
	case summary.SlowFirst:
		return slowFirstSentence(f) + others(f.Disturbed)
	case summary.Drift:
		return driftSentence(f) + others(f.Disturbed)
	case summary.TwoModes:
		return modesSentence(f) + others(f.Disturbed)
	case summary.Outliers:
		return outliersSentence(f) + others(f.Disturbed && f.Waited == nil)
	case summary.UselessInterval:
		return uselessSentence(f) + others(f.Disturbed && !f.PromptsApart)
	}
	return ""
}

// others adds what may be behind it where others used the machine.
func others(disturbed bool) string {
	if !disturbed {
		return ""
	}
	return " Others used the machine meanwhile, which may be why: have it to yourself first."
}

// spokenName is what people call a metric of a request.
func spokenName(name string) string {
	if name == metric.TokenRate {
		return "tokens/s"
	}
	return "latency"
}

// amountOf is a value of such a metric with its unit.
func amountOf(name string, value float64) string {
	if name == metric.TokenRate {
		return digits(value) + " tokens/s"
	}
	return digits(value) + " s"
}

// rounded cuts a span to seconds, a short one to tenths.
func rounded(d time.Duration) time.Duration {
	if d >= 10*time.Second {
		return d.Round(time.Second)
	}
	return d.Round(100 * time.Millisecond)
}

func slowFirstSentence(f summary.SlowFirst) string {
	who, were, whose, them := "The first request", "was", "its", "it"
	if f.N > 1 {
		who, were, whose, them = fmt.Sprintf("The first %d requests", f.N), "were", "the very first's", "them"
	}
	if f.Loads > 1 {
		who += fmt.Sprintf(" after each of %d loads", f.Loads)
	}
	do := fmt.Sprintf("to leave %s out, raise --warmup to %d", them, f.Warmups)
	if f.Warmups == 0 {
		do = "others were measured just before, so that warm-ups do not help: measure this traffic in a run of its own"
	}
	return fmt.Sprintf("%s %s slower than later ones of the same prompt, as if something was not warm yet: %s %s is %s times theirs, where requests otherwise differ by about %s. All figures hold %s; %s.",
		who, were, whose, spokenName(f.Metric), digits(f.Ratio), percent(f.Noise), them, do)
}

func driftSentence(f summary.Drift) string {
	way, slower := "rose", f.Metric == metric.Latency
	if f.Change < 0 {
		way, slower = "fell", f.Metric == metric.TokenRate
	}
	name := spokenName(f.Metric)
	name = strings.ToUpper(name[:1]) + name[1:]
	course := fmt.Sprintf("over %v", rounded(f.Time))
	if f.Loads > 1 {
		course = fmt.Sprintf("within %d loads, each over some %v", f.Loads, rounded(f.Time))
	}
	of, what := "request", fmt.Sprintf("%d requests %s, each beside others of its prompt", f.N, course)
	if f.Between {
		of, what = "load", fmt.Sprintf("%d loads over %v", f.N, rounded(f.Time))
	}
	text := fmt.Sprintf("%s %s by %s from the first %s to the last (%s; chance alone does that in fewer than one of %s cells), so the median mixes unlike conditions. ",
		name, way, percent(math.Abs(f.Change)), of, what, atLeast(1/max(f.P, 1e-6)))
	if slower {
		return text + "What grows slower is mostly a machine that grows hot, or another program that began: look at clocks and temperatures, end what else runs, let it cool down, and repeat the run."
	}
	return text + "What grows faster was mostly not warm yet, or another program ended: raise --warmup, end what else runs, and repeat the run."
}

// atLeast cuts a number to its first digit.
func atLeast(n float64) string {
	unit := math.Pow(10, math.Floor(math.Log10(n)))
	return thousands(strconv.FormatFloat(math.Floor(n/unit)*unit, 'f', 0, 64))
}

func modesSentence(f summary.TwoModes) string {
	what := "speeds"
	if f.Metric == metric.Latency {
		what = "latencies"
	}
	text := fmt.Sprintf("There are two %s rather than one: %s of the requests lie around %s and %s around %s, with hardly any between, so the median says little of either. ",
		what, percent(1-f.ShareHigh), amountOf(f.Metric, f.Low), percent(f.ShareHigh), amountOf(f.Metric, f.High))
	switch {
	case !f.Stretches:
		return text + "They are mixed from request to request: look for what differs between requests (cores of two kinds, several processes of the engine, a cache that only some hit), settle it, and repeat the run."
	case f.Changes == 1:
		text += "It changed once,"
	default:
		text += fmt.Sprintf("It changed %d times, first", f.Changes)
	}
	return text + fmt.Sprintf(" near request %d, %v after the first one: find out what came or went then (another program, heat, a power mode), and repeat the run without it.", f.First, rounded(f.After))
}

func outliersSentence(f summary.Outliers) string {
	who, which := fmt.Sprintf("1 of %d requests stands far apart from the others of its prompt (an outlier; it stays in all figures)", f.Of), "the"
	if f.N > 1 {
		who, which = fmt.Sprintf("%d of %d requests stand far apart from the others of their prompts (outliers; they stay in all figures)", f.N, f.Of), "of the farthest, the"
	}
	text := fmt.Sprintf("%s: %s %s of request %d (prompt %s, %v after the first) is %s times what is usual.", who, which, spokenName(f.Metric), f.Place, f.Prompt, rounded(f.After), digits(f.Ratio))
	if f.Longer > 0 {
		var parts []string
		if f.BeforeFirst != nil {
			parts = append(parts, fmt.Sprintf("%v of that before its first token", atAGlance(*f.BeforeFirst)))
		}
		if f.Pause != nil {
			parts = append(parts, fmt.Sprintf("its longest pause between tokens was %v", atAGlance(*f.Pause)))
		}
		text += fmt.Sprintf(" It took %v longer", atAGlance(f.Longer))
		if len(parts) > 0 {
			text += " (" + strings.Join(parts, "; ") + ")"
		}
		text += "."
	}
	if f.Waited != nil {
		text += fmt.Sprintf(" exobench itself once waited %v for a core in this cell, so it may have been the machine that stood still, and not the engine.", atAGlance(*f.Waited))
	}
	return text + " That hardly moves a median, but means, standard deviations and high percentiles: find out whether it was the engine's own, and repeat the run where it was not."
}

func uselessSentence(f summary.UselessInterval) string {
	text := fmt.Sprintf("The interval of %s is so wide that it is useless: by these requests the true median may lie anywhere from %s to %s, some %s to either side (useless is more than %s). ",
		spokenName(f.Metric), digits(f.Lo), amountOf(f.Metric, f.Hi), percent(f.HalfWidth), percent(f.Limit))
	if f.PromptsApart {
		return text + "Requests of one prompt hardly differ: it is the prompts that are far apart, and the median lies between two of them. Go by the figures of each prompt, or take an odd number of prompts."
	}
	var ways []string
	if f.Requests > 0 {
		way := thousands(fmt.Sprint(f.Requests)) + " requests"
		if f.Loads > 0 {
			way += " in each load"
		}
		if f.Repeat > 0 {
			way += fmt.Sprintf(" (--repeat %d)", f.Repeat)
		}
		ways = append(ways, way)
	}
	if f.Loads > 0 {
		ways = append(ways, fmt.Sprintf("%d loads (--loads %d)", f.Loads, f.Loads))
	}
	if len(ways) == 0 {
		return text + "More of them would not do: find out why they differ so much."
	}
	return text + fmt.Sprintf("To come to ±%s takes about %s if they go on to differ as much; find out first why they do.", percent(f.Aim), strings.Join(ways, " or "))
}
