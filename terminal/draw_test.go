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
	one, three := threeEnginesOf("llama-3.2-1b", "mistral-7b")[:1], threeEnginesOf("llama-3.2-1b", "mistral-7b")
	for _, test := range []struct {
		name    string
		story   *story
		engines []exobench.Engine
		at      float64
		height  int
	}{
		{"place", aRun(), one, 0.5, 24},
		{"download", aRun(), one, 3.5, 24},
		{"load", aRun(), one, 20, 24},
		{"warm-up", aRun(), one, 28, 24},
		{"measure", aRun(), one, 35, 24},
		{"end", aRun(), one, 40, 24},
		{"engines", threeEngines(), three, 29, 24},
		{"engines-tight", threeEngines(), three, 29, 15},
		{"engines-window", threeEngines(), three, 29, 12},
		{"placements-place", twoPlacements(), one, 11, 24},
		{"placements", twoPlacements(), one, 15, 24},
		{"interrupted", twoPlacements(), one, 20, 24},
	} {
		f := test.story.stateOn(test.at, test.engines).frame(exobench.Instant(test.at * 1e9))
		speed := 12.3
		f.speed = &speed
		got := ansi.Strip(draw(f, 80, test.height))
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
		engines: []exobench.Engine{{Name: "exo", Version: "1.0.2", URL: "http://a-rather-long-host-name.local:52415", Label: strings.Repeat("label ", 20)}}}
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

// onThree spreads the rows of a frame over three engines.
func onThree(f frame) frame {
	f.engines = threeEnginesOf()
	for i := range f.rows {
		f.rows[i].engine = f.engines[i*3/len(f.rows)].Name
		if i%4 < 2 {
			f.rows[i].placement = []string{"Pipeline/MlxRing/1 node", "Tensor/MlxJaccl/2 nodes"}[i%4]
		}
	}
	return f
}

func TestDrawFitsTheTerminal(t *testing.T) {
	for _, width := range []int{1, 10, 40, 80, 120} {
		for _, height := range []int{1, 2, 5, 12, 24, 50} {
			for _, current := range []int{-1, 0, 15, 29} {
				for _, f := range []frame{aLongRun(current), onThree(aLongRun(current))} {
					content := draw(f, width, height)
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
}

func TestRowsFillTheirRoom(t *testing.T) {
	for room := 1; room < 50; room++ {
		for current := range 30 {
			for _, f := range []frame{aLongRun(current), onThree(aLongRun(current))} {
				lines := drawRows(&f, 80, room)
				if len(lines) > room || len(lines) < min(room, 30) {
					t.Errorf("%d engines, step %d: %d lines in a room of %d", len(f.engines), current, len(lines), room)
				}
			}
		}
	}
}

func TestDrawShowsTheStepAtWorkAmongMany(t *testing.T) {
	for current := range 30 {
		for _, f := range []frame{aLongRun(current), onThree(aLongRun(current))} {
			content := ansi.Strip(draw(f, 80, 24))
			if strings.Count(content, "▸ ") != 1 {
				t.Errorf("step %d is at work and does not show:\n%s", current, content)
			}
			shown, above, below := 0, 0, 0
			heading := "" // above the step at work
			for line := range strings.Lines(content) {
				for _, mark := range []string{"  · ", "  ✓", "  ✗", "  ▸"} {
					if strings.HasPrefix(line, mark) {
						shown++
					}
				}
				if before, more, ok := strings.Cut(line, "  ↑ "); ok {
					fmt.Sscanf(more, "%d more", &above)
					line = before
				}
				fmt.Sscanf(line, "  ↓ %d more", &below)
				if !strings.HasPrefix(line, " ") && line != "\n" && line != "" {
					heading = line
				}
				if strings.HasPrefix(line, "  ▸") && f.several() && !strings.HasPrefix(heading, f.rows[current].engine+" ") {
					t.Errorf("step %d is on %s and stands below %q:\n%s", current, f.rows[current].engine, heading, content)
				}
			}
			if shown+above+below != 30 {
				t.Errorf("step %d: %d shown, %d above, %d below; want 30 in all:\n%s", current, shown, above, below, content)
			}
		}
	}
}

func TestTitleNamesAllEngines(t *testing.T) {
	for _, test := range []struct {
		width int
		want  string
	}{
		{80, "exobench · exo 1.0.2 · ollama 0.12.3 · llama.cpp b6700"},
		{40, "exobench · exo · ollama · llama.cpp"},
	} {
		if got := ansi.Strip(drawTitle(threeEnginesOf(), test.width)[0]); got != test.want {
			t.Errorf("in %d cells: got %q, want %q", test.width, got, test.want)
		}
	}
}

func TestLabelOfARowThatIsTooLong(t *testing.T) {
	for _, test := range []struct {
		why  string
		row  row
		want string
	}{
		{"it fits", row{name: "llama", placement: "1 node"}, "llama · 1 node"},
		{"the end of a name tells more", row{name: "mlx-community/Llama-3.2-1B-4bit"}, "…unity/Llama-3.2-1B-4bit"},
		{"the name gives way to the placement", row{name: "llama-3.2-1b-instruct", placement: "Ring/1 node"}, "…-instruct · Ring/1 node"},
		{"though not all of it", row{name: "llama-3.2-1b", placement: "Pipeline/MlxRing/1 node"}, "…-3.2-1b · Pipeline/Mlx…"},
	} {
		const cells = 24
		got := label(test.row, cells)
		if w := ansi.StringWidth(got); w > cells {
			t.Errorf("%s: %q has %d cells, want %d at most", test.why, got, w, cells)
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.why, got, test.want)
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
