package terminal

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"exobench"
	"exobench/summary"
)

var update = flag.Bool("update", false, "write the goldens anew")

func TestDrawOfARun(t *testing.T) {
	for _, test := range []struct {
		name   string
		script *script
		at     float64
		height int
	}{
		{"place", wholeRun(), 0.5, 24},
		{"download", wholeRun(), 3.5, 24},
		{"load", wholeRun(), 20, 24},
		{"warm-up", wholeRun(), 28, 24},
		{"measure", wholeRun(), 35, 24},
		{"wait-for-memory", wholeRun(), 71, 24},
		{"failed", wholeRun(), 98.5, 24},
		{"failed-tight", wholeRun(), 98.5, 9},
		{"several-cells", severalCells(), 30, 24},
		{"several-cells-tight", severalCells(), 30, 8},
		{"several-cells-end", severalCells(), 35, 24},
		{"several-cells-end-tight", severalCells(), 35, 8},
		{"open-loop", openLoop(), 12, 24},
		{"engines", threeEngines(), 33.5, 24},
		{"engines-tight", threeEngines(), 33.5, 15},
		{"engines-window", threeEngines(), 33.5, 12},
		{"placements", twoPlacements(), 15, 24},
		{"interrupted", twoPlacements(), 19, 24},
	} {
		for _, width := range []int{80, 120} {
			f := test.script.frameAt(test.at)
			f.speed = new(12.3)
			checkGolden(t, fmt.Sprintf("%s-%d", test.name, width), ansi.Strip(draw(f, width, test.height).text))
		}
	}
}

func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden.txt")
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
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// aLongRun has 30 models with long names, the one given at work, and cells of
// their own in each third.
func aLongRun(current int) frame {
	f := frame{current: current, planned: 300, measuring: true, engines: engines(1)}
	f.engines[0].URL, f.engines[0].Label = "http://a-rather-long-host-name.local:52415", strings.Repeat("label ", 20)
	for i := range 30 {
		r := row{name: fmt.Sprintf("mlx-community/A-Model-With-A-Long-Name-%d-Instruct-4bit", i), state: summary.Planned, measuring: -1}
		switch {
		case i == current:
			r.state = summary.Measuring
			r.stage.Detail = strings.Repeat("detail ", 30)
		case i < current && i%2 == 0:
			r.state, r.reason = summary.Failed, strings.Repeat("reason ", 50)
		case i < current:
			r.state = summary.Done
		}
		if i%3 == 0 && i <= current {
			r.cells = []cellRow{
				{traffic: closed(1)[0], state: summary.Done, requests: 4, planned: 4},
				{traffic: closed(16)[0], state: summary.Measuring, planned: 4},
			}
		}
		f.rows = append(f.rows, r)
	}
	for i := range 9 {
		f.remarks = append(f.remarks, fmt.Sprintf("note %d %s", i, strings.Repeat("long ", 30)))
	}
	return f
}

// onThree spreads the rows of a frame over three engines.
func onThree(f frame) frame {
	f.engines = engines(3)
	for i := range f.rows {
		f.rows[i].engine = f.engines[i*3/len(f.rows)].Name
		if i%4 < 2 {
			f.rows[i].placement = []string{ring, jaccl}[i%4]
		}
	}
	return f
}

func TestDrawFitsTheTerminal(t *testing.T) {
	for _, width := range []int{1, 10, 40, 80, 120} {
		for _, height := range []int{1, 2, 5, 12, 24, 50} {
			for _, current := range []int{-1, 0, 15, 29} {
				for _, f := range []frame{aLongRun(current), onThree(aLongRun(current))} {
					content := draw(f, width, height).text
					lines := strings.Split(content, "\n")
					if len(lines) > max(2, height) {
						t.Errorf("%dx%d: %d lines", width, height, len(lines))
					}
					if last := lines[len(lines)-1]; last != "" {
						t.Errorf("%dx%d: the last line is %q, want it empty for the cursor", width, height, last)
					}
					for _, line := range lines {
						if w := ansi.StringWidth(line); w > width {
							t.Errorf("%dx%d: a line of %d columns: %q", width, height, w, line)
						}
					}
				}
			}
		}
	}
}

func TestRowsFillTheirRoom(t *testing.T) {
	for room := 1; room < 150; room += 1 + room/8 {
		for current := range 30 {
			for _, f := range []frame{aLongRun(current), onThree(aLongRun(current))} {
				lines, _ := drawRows(&f, 80, room)
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
			content := ansi.Strip(draw(f, 80, 24).text)
			if strings.Count(content, "\n  ▸ ") != 1 {
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

func TestAReasonShowsWholeWhereThereIsRoom(t *testing.T) {
	f := wholeRun().frameAt(98.5)
	reason := strings.Fields(f.rows[1].reason)
	for _, width := range []int{30, 50, 80, 120} {
		d := draw(f, width, 60)
		content := strings.Fields(ansi.Strip(d.text))
		if !strings.Contains(strings.Join(content, " "), strings.Join(reason, " ")) || len(d.cut) > 0 {
			t.Errorf("in %d columns, cut %v:\n%s", width, d.cut, d.text)
		}
	}
	if d := draw(f, 80, 9); !slices.Equal(d.cut, []int{0, 1}) {
		t.Errorf("in 9 lines the rows %v are said to be cut, want both:\n%s", d.cut, d.text)
	}
}

func TestDrawNowSaysWhatIsWaitedFor(t *testing.T) {
	const second = time.Second
	for _, test := range []struct {
		why   string
		frame frame
		want  string
	}{
		{"no request is under way", frame{speed: new(12.3)}, ""},
		{"too early for a speed", frame{measuring: true}, ""},
		{"the first request was only just sent", frame{measuring: true, single: true, speed: new(0.0), silent: second / 2, idle: second / 2}, ""},
		{"tokens come", frame{measuring: true, speed: new(12.3)}, "12 tok/s now"},
		{"a long prefill", frame{measuring: true, single: true, speed: new(0.0), silent: 100 * second, idle: 100 * second}, "waiting for the first token for 1:40"},
		{"its last event was seen late", frame{measuring: true, single: true, speed: new(0.0), silent: 100 * second, idle: 99900 * time.Millisecond}, "waiting for the first token for 1:40"},
		{"several of them", frame{measuring: true, speed: new(0.0), silent: 100 * second, idle: 100 * second}, "waiting for tokens for 1:40"},
		{"an answer that stopped coming", frame{measuring: true, single: true, speed: new(0.0), silent: 100 * second, idle: 12 * second}, "no token for 0:12"},
		{"an open loop, where no request need be under way", frame{measuring: true, open: true, speed: new(0.0), silent: 9 * second, idle: 9 * second}, "no token for 0:09"},
	} {
		if got := drawNow(&test.frame); got != test.want {
			t.Errorf("%s: got %q, want %q", test.why, got, test.want)
		}
	}
}

func TestDrawSaysWhyTheRunFailed(t *testing.T) {
	s := wholeRun()
	s.endRun(100, exobench.EndFailed, "write the journal:\nno space is left")
	if content := ansi.Strip(draw(s.frameAt(100), 80, 24).text); !strings.Contains(content, "the run failed: write the journal: no space is left") {
		t.Errorf("got\n%s", content)
	}
}

func TestNothingForeignReachesTheTerminalAsItIs(t *testing.T) {
	const foul = "a\x1b[2J\x1b]0;title\x07b\u009b1mc\u202ed\u2066e\u200ff\rg\nh\u2028i\x00"
	s := newScript(exobench.Plan{}, []exobench.Engine{
		{Name: "exo" + foul, Version: foul, URL: foul, Label: foul, Models: []exobench.Model{{Name: "m" + foul}}},
		{Name: "ollama" + foul, Models: []exobench.Model{{Name: "n" + foul}}},
	})
	s.spread(0, 1, foul)
	s.add(1, &exobench.Note{Step: 1, Engine: foul, Text: foul})
	s.stage(1, 1, exobench.StageEvent{Stage: exobench.StagePlace, Placement: "p" + foul, Detail: foul})
	during := len(s.lines)
	s.endStep(2, 1, exobench.StepFailed, foul)
	s.endRun(3, exobench.EndFailed, foul)
	for _, n := range []int{during, len(s.lines)} {
		st, said := newState(), ""
		speaker := new(narrator)
		for _, line := range s.lines[:n] {
			st.add(line.entry)
			said += strings.Join(speaker.narrate(st, line.entry), "\n") + "\n"
		}
		said += draw(st.frame(instant(4)), 120, 60).text
		for _, r := range ansi.Strip(said) {
			if r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0 || strings.ContainsRune("\u200e\u200f\u2028\u202a\u202e\u2066\u2069", r)) {
				t.Errorf("%U is shown: %q", r, said)
			}
		}
		if strings.Contains(said, "\x1b[2J") || strings.Contains(said, "\x1b]") {
			t.Errorf("an escape sequence is shown: %q", said)
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
		if got := ansi.Strip(drawTitle(engines(3), test.width)[0]); got != test.want {
			t.Errorf("in %d columns: got %q, want %q", test.width, got, test.want)
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
		{"though not all of it", row{name: "llama-3.2-1b", placement: ring}, "…-3.2-1b · Pipeline/Mlx…"},
	} {
		const columns = 24
		got := label(&test.row, columns)
		if w := ansi.StringWidth(got); w > columns {
			t.Errorf("%s: %q has %d columns, want %d at most", test.why, got, w, columns)
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.why, got, test.want)
		}
	}
}

func TestStagesInWords(t *testing.T) {
	type event = exobench.StageEvent
	for _, test := range []struct {
		event event
		spent time.Duration
		want  string
	}{
		{event{}, 0, "starting"},
		{event{Stage: exobench.StageResolve, Detail: "adding\na card"}, 0, "looking up: adding a card"},
		{event{Stage: exobench.StagePlace}, 4 * time.Second, "placing"},
		{event{Stage: exobench.StagePlace, Placement: "1 node", Detail: "no room"}, time.Minute, "placing 1 node for 1:00: no room"},
		{event{Stage: exobench.StageDownload, Downloaded: 1 << 20}, time.Hour, "download 1.00 MiB"},
		{event{Stage: exobench.StageDownload, Downloaded: 3 << 20, DownloadTotal: 4 << 20}, 0, "download 75% of 4.00 MiB"},
		{event{Stage: exobench.StageLoad}, 12 * time.Second, "loading for 0:12"},
		{event{Stage: exobench.StageLoad, Layers: 3, LayersTotal: 9}, 12 * time.Second, "loading layer 3 of 9"},
		{event{Stage: exobench.StageWarm}, 0, "engine warm-up"},
		{event{Stage: exobench.StageReady}, 0, "ready"},
		{event{Stage: exobench.StageRelease}, 0, "releasing"},
	} {
		if got := inStage(test.event, test.spent); got != test.want {
			t.Errorf("%+v for %v: got %q, want %q", test.event, test.spent, got, test.want)
		}
	}
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		seconds(0.0123):                                   "12 ms",
		seconds(0.9996):                                   "1.00 s",
		seconds(9.999):                                    "10.0 s",
		seconds(123.45):                                   "123.5 s",
		clock(7 * time.Second):                            "0:07",
		clock(725 * time.Second):                          "12:05",
		clock(3723 * time.Second):                         "1:02:03",
		clock(59600e6):                                    "1:00",
		count(1, "request"):                               "1 request",
		count(0, "request"):                               "0 requests",
		oneLine("a\r\n\tb\x1b[2J\x07"):                    "a b",
		oneLine("a\u202eb\u009b"):                         "ab",
		trafficOf(exobench.Traffic{Concurrency: 4}):       "×4",
		trafficOf(exobench.Traffic{Rate: 2.5}):            "2.5/s",
		fmt.Sprint(percent(199, 200)):                     "99",
		fmt.Sprint(percent(1, 0)):                         "0",
		fmt.Sprint(percent(9, 3)):                         "100",
		ansi.Strip(bar(1.0/3+1.0/3+1.0/3, 4)):             "████",
		ansi.Strip(bar(0.999, 4)) + ansi.Strip(bar(2, 1)): "███░█",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	for name, f := range map[string]frame{
		"2 models":  wholeRun().frameAt(35),
		"30 models": aLongRun(15),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				draw(f, 80, 24)
			}
		})
	}
}
