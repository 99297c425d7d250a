package terminal

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"exobench"
)

var update = flag.Bool("update", false, "write the goldens anew")

func TestDrawOfARun(t *testing.T) {
	for _, test := range []struct {
		name string
		at   float64
	}{
		{"place", 0.5},
		{"download", 3.5},
		{"load", 20},
		{"warm-up", 28},
		{"measure", 35},
		{"end", 40},
	} {
		f := aRun().frameAt(test.at, "llama-3.2-1b", "mistral-7b")
		speed := 12.3
		f.speed = &speed
		got := ansi.Strip(draw(f, 80, 24))
		path := filepath.Join("testdata", test.name+".golden.txt")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", test.name, got, want)
		}
	}
}

// aLongRun has 30 models with long names, the one given at work.
func aLongRun(current int) frame {
	f := frame{current: current, total: 300, share: 10, phase: exobench.Measured, concurrency: 16,
		engine: exobench.Engine{Name: "exo", Version: "1.0.2", URL: "http://a-rather-long-host-name.local:52415", Label: strings.Repeat("label ", 20)}}
	for i := range 30 {
		r := row{name: fmt.Sprintf("mlx-community/A-Model-With-A-Long-Name-%d-Instruct-4bit", i)}
		switch {
		case i == current:
			r.status = working
		case i < current && i%2 == 0:
			r.status, r.reason = failed, strings.Repeat("reason ", 20)
		case i < current:
			r.status = done
		}
		f.rows = append(f.rows, r)
	}
	for i := range 9 {
		f.notes = append(f.notes, fmt.Sprintf("note %d %s", i, strings.Repeat("long ", 30)))
	}
	return f
}

func TestDrawFitsTheTerminal(t *testing.T) {
	for _, width := range []int{1, 10, 40, 80, 120} {
		for _, height := range []int{1, 2, 5, 12, 24, 50} {
			for _, current := range []int{-1, 0, 15, 29} {
				content := draw(aLongRun(current), width, height)
				lines := strings.Split(content, "\n")
				if len(lines) > max(2, height) {
					t.Errorf("%dx%d: %d lines", width, height, len(lines))
				}
				if last := lines[len(lines)-1]; last != "" {
					t.Errorf("%dx%d: the last line is %q, want it empty for the cursor", width, height, last)
				}
				for _, line := range lines {
					if w := ansi.StringWidth(line); w > width {
						t.Errorf("%dx%d: a line of %d cells: %q", width, height, w, line)
					}
				}
			}
		}
	}
}

func TestDrawShowsTheModelAtWorkAmongMany(t *testing.T) {
	for _, current := range []int{0, 1, 15, 28, 29} {
		content := ansi.Strip(draw(aLongRun(current), 80, 24))
		if !strings.Contains(content, "▸ ") {
			t.Errorf("model %d is at work and does not show:\n%s", current, content)
		}
		shown := strings.Count(content, "  · ") + strings.Count(content, "✓") + strings.Count(content, "✗") + 1
		above, below := 0, 0
		for line := range strings.Lines(content) {
			fmt.Sscanf(strings.TrimSpace(line), "↑ %d more", &above)
			fmt.Sscanf(strings.TrimSpace(line), "↓ %d more", &below)
		}
		if shown+above+below != 30 {
			t.Errorf("model %d: %d shown, %d above, %d below; want 30 in all:\n%s", current, shown, above, below, content)
		}
	}
}

func TestActivity(t *testing.T) {
	for _, test := range []struct {
		load        exobench.LoadEvent
		phase       exobench.Phase
		concurrency int
		want        string
	}{
		{load: exobench.LoadEvent{}, want: "starting"},
		{load: exobench.LoadEvent{Stage: exobench.StageResolve, Detail: "adding\na card"}, want: "looking up adding a card"},
		{load: exobench.LoadEvent{Stage: exobench.StagePlace}, want: "placing"},
		{load: exobench.LoadEvent{Stage: exobench.StageDownload, Downloaded: 1 << 20}, want: "download 1.00 MiB"},
		{load: exobench.LoadEvent{Stage: exobench.StageDownload, Downloaded: 3 << 20, DownloadTotal: 4 << 20}, want: "download 75% of 4.00 MiB"},
		{load: exobench.LoadEvent{Stage: exobench.StageLoad}, want: "loading"},
		{load: exobench.LoadEvent{Stage: exobench.StageWarm}, want: "engine warm-up"},
		{load: exobench.LoadEvent{Stage: exobench.StageReady}, want: "ready"},
		{load: exobench.LoadEvent{Stage: exobench.StageReady}, phase: exobench.Warmup, concurrency: 1, want: "warm-up"},
		{load: exobench.LoadEvent{Stage: exobench.StageReady}, phase: exobench.Measured, concurrency: 8, want: "measuring ×8"},
		{load: exobench.LoadEvent{Stage: exobench.StageRelease}, phase: exobench.Measured, want: "releasing"},
	} {
		if got := activity(test.load, test.phase, test.concurrency); got != test.want {
			t.Errorf("%+v, %q: got %q, want %q", test.load, test.phase, got, test.want)
		}
	}
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		seconds(0.0123):                "12 ms",
		seconds(0.9996):                "1.00 s",
		seconds(9.999):                 "10.0 s",
		seconds(123.45):                "123.5 s",
		clock(7 * time.Second):         "0:07",
		clock(725 * time.Second):       "12:05",
		clock(3723 * time.Second):      "1:02:03",
		clock(59600e6):                 "1:00",
		count(1, "request"):            "1 request",
		count(0, "request"):            "0 requests",
		oneLine("a\r\n\tb\x1b[2J\x07"): "a b",
		fmt.Sprint(percent(199, 200)):  "99",
		fmt.Sprint(percent(1, 0)):      "0",
		fmt.Sprint(percent(9, 3)):      "100",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	for name, f := range map[string]frame{
		"2 models":  aRun().frameAt(35),
		"30 models": aLongRun(15),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				draw(f, 80, 24)
			}
		})
	}
}
