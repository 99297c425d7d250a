package report

import (
	"bytes"
	"strings"
	"testing"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

func TestItIsSaidWhyEachCellEnded(t *testing.T) {
	const wish = "tokens_per_second=3%"
	ends := func(of ...any) (all []summary.LoadEnd) {
		for i := 0; i < len(of); i += 2 {
			all = append(all, summary.LoadEnd{Repeats: of[i].(int), Reason: of[i+1].(exobench.BlockEndReason)})
		}
		return all
	}
	for _, row := range []struct {
		until exobench.Until
		ends  []summary.LoadEnd
		now   []float64 // below 0 is none
		want  string
	}{
		{wish, ends(23, exobench.BlockPrecise), []float64{0.028}, "stopped after 23 repeats: tokens/s within ±3 % (±2.8 %)"},
		{wish, ends(100, exobench.BlockDone), []float64{0.041}, "at the most repeats (100): tokens/s still ±4.1 %, wanted ±3 %"},
		{wish, ends(100, exobench.BlockDone), []float64{0.029}, "at the most repeats (100): tokens/s ±2.9 %, wanted ±3 %"},
		{wish, ends(1, exobench.BlockTime), []float64{-1}, "at the time limit, after 1 repeat: tokens/s has no interval"},
		{wish, ends(4, exobench.BlockNoAnswer), []float64{0.1}, "the engine stopped answering, after 4 repeats: tokens/s still ±10 %, wanted ±3 %"},
		{wish, ends(4, exobench.BlockInterrupted), []float64{0.1}, "interrupted, after 4 repeats: tokens/s still ±10 %, wanted ±3 %"},
		{
			"ttft_s=5%,latency_s=2.5%", ends(9, exobench.BlockPrecise), []float64{0.05, 0.01},
			"stopped after 9 repeats: TTFT within ±5 %, latency within ±2.5 % (TTFT ±5 %; latency ±1 %)",
		},
		{
			wish, ends(23, exobench.BlockPrecise, 7, exobench.BlockPrecise, 9, exobench.BlockPrecise), []float64{0.06},
			"stopped after 23, 7 and 9 repeats: tokens/s within ±3 % in each load (over the loads tokens/s ±6 %)",
		},
		{
			wish, ends(23, exobench.BlockPrecise, 40, exobench.BlockDone, 9, exobench.BlockPrecise), []float64{0.06},
			"2 of 3 loads stopped after 23 and 9 repeats: tokens/s within ±3 %; 1 of 3 loads at the most repeats (40) (over the loads tokens/s still ±6 %, wanted in each ±3 %)",
		},
	} {
		c := &summary.Cell{Stop: exobench.Stop{Until: row.until}, Until: &summary.Until{Ends: row.ends}}
		goals, err := row.until.Goals()
		if err != nil {
			t.Fatal(err)
		}
		for i, g := range goals {
			r := summary.Reached{Goal: g}
			if row.now[i] >= 0 {
				r.Now = &row.now[i]
			}
			c.Until.Goals = append(c.Until.Goals, r)
		}
		if got := untilText(c); got != row.want {
			t.Errorf("got  %s\nwant %s", got, row.want)
		}
	}
}

func TestTheAdviceIsHonestAboutWhatNoNumberBrings(t *testing.T) {
	sd := 0.03
	for _, row := range []struct {
		s    summary.Spread
		want string
	}{
		{summary.Spread{Repeats: &sd}, dash},
		{summary.Spread{Repeats: &sd, ToHalve: &summary.Effort{MoreRepeats: new(1)}}, "1 more repeat"},
		{summary.Spread{Repeats: &sd, Loads: &sd, ToHalve: &summary.Effort{MoreLoads: new(3), MoreRepeats: new(40)}}, "3 more loads, or 40 more repeats"},
		{summary.Spread{Repeats: &sd, Loads: &sd, ToHalve: &summary.Effort{MoreLoads: new(1)}}, "1 more load; no number of repeats: loads differ too much"},
	} {
		if got := effortText(&row.s); got != row.want {
			t.Errorf("got %q, want %q", got, row.want)
		}
	}
}

// A run of loads that differ, by a goal, has all of it in its report.
func TestAReportTellsHowValuesDifferAndWhyCellsEnded(t *testing.T) {
	plan := planOf("embedded", []exobench.Traffic{{Concurrency: 1}}, exobench.Stop{Repeat: 3, Until: "latency_s=3%", MaxRepeat: 9}, "m")
	plan.Loads = 3
	s := newScript(plan, exobench.Host{}, standIn(exobench.Model{Name: "m", ID: "org/m"}))
	for load := range 3 {
		step := load + 1
		block := s.block(step, 1, 9*second)
		for i := range 18 {
			// A load is slower by a fifth than the one before, a request by a hundredth of
			// that than another.
			r := request(exobench.Instant(10+2*i)*second, i%2)
			r.Repeat = i/2 + 1
			r.Done += exobench.Instant(100*load+i%3) * ms
			r.Ended = r.Done + ms
			s.request(step, block, r, 90*mib)
		}
		s.add(&exobench.BlockEnd{At: 60 * second, Block: block, Reason: exobench.BlockDone, Repeats: 9})
	}
	run, _ := build(t, s.entries)
	spread := run.Cells[0].Spread[metric.Latency]
	if spread == nil || spread.Loads == nil || *spread.Loads < 0.1 || spread.Repeats == nil || *spread.Repeats > 0.01 || spread.ToHalve == nil || spread.ToHalve.MoreLoads == nil || spread.ToHalve.MoreRepeats != nil {
		t.Errorf("the latencies differ so: %+v", spread)
	}
	var text bytes.Buffer
	if err := Markdown(&text, Full(run)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"## How values differ", "more load", "no number of repeats: loads differ too much", "## When cells ended", "at the most repeats (9) (over the loads latency still"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, &text)
		}
	}
	validate(t, run)
}
