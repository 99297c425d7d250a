package report

import (
	"fmt"
	"io"
	"math"

	"exobench/metric"
	"exobench/plot"
	"exobench/summary"
)

// timelineFile is the picture of memory and power over the run.
const timelineFile = "timeline.png"

// mostLanes is how many lanes a picture has room for.
const mostLanes = 14

// writeTimeline draws memory and power over the run. Where nothing was read it
// shows what was done when.
func writeTimeline(w io.Writer, run *summary.Run) error {
	return plot.WriteTimeline(w, timelineOf(run))
}

func timelineOf(run *summary.Run) plot.Timeline {
	trace := run.Trace()
	t := plot.Timeline{
		Title: "Memory and power over the run", Subtitle: escapePlain(chartOrigin(run)), Until: max(trace.Until, 1), Breaks: trace.Breaks,
		Kinds: []string{"idle", "load", "warm-up", "measured", "release"},
		Footnote: "Bands: requests are measured. Full lines join readings that speak for the time between them; pale ones those of memory that are further apart." +
			" Power is of the middle of the time that a reading is of.",
	}
	if state := state(run); state != "finished" {
		t.Title += " (" + state + " run)"
	}
	if len(trace.Breaks) > 0 {
		t.Footnote += " Dashed: the run was resumed; the time between is left out."
	}
	for _, s := range trace.Spans {
		if s.Kind == summary.TraceStep {
			t.Names = append(t.Names, plot.Label{From: s.From, To: s.To, Text: escapePlain(subjectName(run, s.Subject.Model, s.Subject.Engine))})
			continue
		}
		t.Spans = append(t.Spans, plot.Happening{From: s.From, To: s.To, Kind: int(s.Kind), Shaded: s.Kind == summary.TraceMeasured})
	}
	if len(trace.Requests) > 0 {
		t.Lanes = append(t.Lanes, plot.Lane{Name: "OK requests under way", Filled: true, Whole: true, Curves: []plot.Curve{{Points: points(trace.Requests, 1), Gap: math.Inf(1)}}})
	}
	t.Lanes = append(t.Lanes, lanesOf(trace.Lines)...)
	if over := len(t.Lanes) - mostLanes; over > 0 {
		t.Footnote += fmt.Sprintf(" Shown: the first %d of %d lanes.", mostLanes, len(t.Lanes))
		t.Lanes = t.Lanes[:mostLanes]
	}
	return t
}

// lanesOf puts lines that belong together into lanes: memory first, then power.
func lanesOf(lines []summary.TraceLine) []plot.Lane {
	var lanes []plot.Lane
	for _, q := range []summary.TraceQuantity{summary.TraceMemory, summary.TracePower} {
		places := map[string]int{}
		for i := range lines {
			if lines[i].Quantity != q {
				continue
			}
			if _, there := places[lines[i].Lane]; !there {
				places[lines[i].Lane] = len(lanes)
				lanes = append(lanes, newLane(lines, lines[i].Lane, q))
			}
		}
	}
	return lanes
}

// newLane makes the lane of that name.
func newLane(lines []summary.TraceLine, name string, q summary.TraceQuantity) plot.Lane {
	var of []summary.TraceLine
	most := 0.0
	for _, l := range lines {
		if l.Lane == name && l.Quantity == q {
			of = append(of, l)
			for _, p := range l.Points {
				most = max(most, p.Value)
			}
		}
	}
	lane, factor := plot.Lane{Name: "Power, " + escapePlain(name) + " (W)"}, 1.0
	if q == summary.TraceMemory {
		s := scaleFor(metric.Bytes, []float64{most})
		lane.Name, factor = fmt.Sprintf("Memory, %s (%s)", escapePlain(name), s.unit), s.factor
	}
	for _, l := range of {
		lane.Curves = append(lane.Curves, plot.Curve{Name: escapePlain(l.Name), Points: points(l.Points, factor), Gap: l.Gap, Joined: q == summary.TraceMemory})
	}
	return lane
}

func points(all []summary.TracePoint, factor float64) []plot.Point {
	scaled := make([]plot.Point, len(all))
	for i, p := range all {
		scaled[i] = plot.Point{At: p.At, Value: p.Value * factor, Apart: p.Apart}
	}
	return scaled
}
