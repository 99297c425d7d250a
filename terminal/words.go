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

// remark words a note, and says of what it is where it does not say so itself.
func (s *state) remark(n exobench.Note) string {
	text := oneLine(n.Text)
	var of []string
	mention := func(name string) {
		if name = oneLine(name); name != "" && !strings.Contains(text, name) {
			of = append(of, name)
		}
	}
	engine, model := n.Engine, ""
	if t := s.step(n.Step); t != nil {
		engine, model = t.Engine, t.Model.Name
	}
	if len(s.header.Engines) > 1 {
		mention(engine)
	}
	mention(model)
	if len(of) > 0 {
		text = strings.Join(of, " ") + ": " + text
	}
	return "note: " + text
}

// trafficOf names what is offered: "×4" requests at once, or "2.5/s".
func trafficOf(t exobench.Traffic) string {
	if t.Open() {
		return t.String()
	}
	return "×" + t.String()
}

// inStage says in which stage the model of a step is, and for how long where
// nothing else shows that it goes on.
func inStage(e exobench.StageEvent, spent time.Duration) string {
	words := "starting"
	switch e.Stage {
	case exobench.StageResolve:
		words = "looking up"
	case exobench.StagePlace:
		words = "placing"
		if placement := oneLine(e.Placement); placement != "" {
			words += " " + placement
		}
	case exobench.StageDownload:
		return downloading(e)
	case exobench.StageLoad:
		words = "loading"
		if e.LayersTotal > 0 {
			return fmt.Sprintf("loading layer %d of %d", e.Layers, e.LayersTotal)
		}
	case exobench.StageWarm:
		words = "engine warm-up"
	case exobench.StageReady:
		words = "ready"
	case exobench.StageRelease, exobench.StageReleased:
		words = "releasing"
	}
	const long = 5 * time.Second
	if spent >= long {
		words += " for " + clock(spent)
	}
	if detail := oneLine(e.Detail); detail != "" {
		words += ": " + detail
	}
	return words
}

// downloading says how much of a model's files is here.
func downloading(e exobench.StageEvent) string {
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
// sequences, no control characters, no line breaks, and no marks that turn the
// direction of writing or show nothing.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, ansi.Strip(text))
	return strings.Join(strings.Fields(text), " ")
}
