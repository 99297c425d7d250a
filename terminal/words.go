package terminal

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"exobench"
)

// title says what is measured.
func title(engines []exobench.Engine) string {
	var words []string
	for _, e := range engines {
		word := nameOf(e)
		if e.URL != "" {
			word += " at " + e.URL
		}
		if e.Label != "" {
			word += " (" + e.Label + ")"
		}
		words = append(words, word)
	}
	if len(words) == 0 {
		return "exobench"
	}
	return oneLine("exobench: " + strings.Join(words, "; "))
}

// nameOf names an engine with its version.
func nameOf(e exobench.Engine) string { return oneLine(e.Name + " " + e.Version) }

// noteOf is the note that p carries, with the engine where there are several.
func noteOf(s *state, p exobench.Progress) string {
	note := oneLine(p.Note)
	if note != "" && s.several() && p.Engine != "" {
		note = oneLine(p.Engine) + ": " + note
	}
	return note
}

// activity says what the step at work is doing.
func activity(load exobench.LoadEvent, phase exobench.Phase, concurrency int) string {
	switch load.Stage {
	case exobench.StageRelease, exobench.StageReleased:
		return "releasing"
	}
	switch phase {
	case exobench.Warmup:
		return "warm-up" + streams(concurrency)
	case exobench.Measured:
		return "measuring" + streams(concurrency)
	}
	switch load.Stage {
	case exobench.StageResolve:
		return detailed("looking up", load.Detail)
	case exobench.StagePlace:
		return detailed("placing", load.Placement)
	case exobench.StageDownload:
		return downloading(load)
	case exobench.StageLoad:
		return loading(load)
	case exobench.StageWarm:
		return "engine warm-up"
	case exobench.StageReady:
		return "ready"
	}
	return "starting"
}

// streams says how many requests are under way at once, where more than one.
func streams(concurrency int) string {
	if concurrency > 1 {
		return fmt.Sprintf(" ×%d", concurrency)
	}
	return ""
}

func detailed(what, detail string) string {
	if detail = oneLine(detail); detail != "" {
		return what + " " + detail
	}
	return what
}

// downloading says how much of a model's files is here.
func downloading(e exobench.LoadEvent) string {
	words := "download " + e.Downloaded.String()
	if e.DownloadTotal > 0 {
		words = fmt.Sprintf("download %d%% of %v", percent(e.Downloaded, e.DownloadTotal), e.DownloadTotal)
	}
	if e.DownloadRate > 0 {
		words += fmt.Sprintf(", %v/s", e.DownloadRate)
		if left := e.DownloadTotal - e.Downloaded; left > 0 {
			words += ", " + clock(time.Duration(float64(left)/float64(e.DownloadRate)*1e9)) + " left"
		}
	}
	return words
}

// loading says how much of a model is in memory.
func loading(e exobench.LoadEvent) string {
	if e.LayersTotal <= 0 {
		return "loading"
	}
	return fmt.Sprintf("loading layer %d of %d", e.Layers, e.LayersTotal)
}

// percent returns how much of a whole is done, rounded down: 100 means all.
func percent[N ~int | ~int64](done, whole N) int {
	if whole <= 0 {
		return 0
	}
	return int(min(100, max(0, float64(done)/float64(whole)*100)))
}

// seconds writes a latency with three significant digits.
func seconds(v float64) string {
	switch {
	case v < 0.9995:
		return fmt.Sprintf("%.0f ms", v*1e3)
	case v < 9.995:
		return fmt.Sprintf("%.2f s", v)
	default:
		return fmt.Sprintf("%.1f s", v)
	}
}

// clock writes a span as a clock shows it: "0:07", "12:05", "1:02:03".
func clock(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// count writes a number of things: "1 request", "2 requests".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// oneLine makes text from elsewhere fit for a line of a terminal: no escape
// sequences, no control characters, no line breaks.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, ansi.Strip(text))
	return strings.Join(strings.Fields(text), " ")
}
