package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"exobench"
	"exobench/calibrate"
	"exobench/child"
	"exobench/driver"
	"exobench/plot"
	"exobench/wire"
)

// calibrated is what exobench calibrate keeps of this machine.
type calibrated struct {
	Tool         exobench.Tool          `json:"tool"`
	Host         exobench.Host          `json:"host"`
	When         time.Time              `json:"when"`
	Calibrations []exobench.Calibration `json:"calibrations"`
}

// calibrateFlags are the flags of exobench calibrate.
type calibrateFlags struct {
	streams  []int
	rates    []float64
	duration time.Duration
	plot     string
	json     bool
	observer observerFlags
}

func calibrateCommand(env environment) *cobra.Command {
	var f calibrateFlags
	cmd := &cobra.Command{
		Use:   "calibrate",
		Short: "Measure the harness's own error on this machine",
		Long: `Run the real client against the timing reference, a server in a process of its own whose events carry
the instant at which they were sent, and show how far the client's figures are from the truth at each
load. The result is kept for this machine, and exobench detect shows it.

With --observer, measure how much exobench slows the engine that it measures: the same work under
exobench and under a client that only reads, in turn. The reports of small machines show the result.`,
		Example: "  exobench calibrate\n  exobench calibrate --streams 1,64,1000 --rate 50,100\n  exobench calibrate --observer",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.observer.on {
				return observe(cmd.Context(), env, f.observer, f.json)
			}
			return calibrateMachine(cmd.Context(), env, f)
		},
	}
	flags := cmd.Flags()
	flags.IntSliceVar(&f.streams, "streams", []int{1, 16, 64, 256, 1000}, "streams side by side")
	flags.Float64SliceVar(&f.rates, "rate", []float64{50}, "tokens per second of each stream")
	flags.DurationVar(&f.duration, "duration", 3*time.Second, "time of each load")
	flags.StringVar(&f.plot, "plot", "", "file for a plot, .png or .svg")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	f.observer.register(flags)
	return cmd
}

func calibrateMachine(ctx context.Context, env environment, f calibrateFlags) error {
	clock := exobench.NewClock()
	client := wire.NewClient(wire.Config{Clock: clock})
	defer client.Close()
	var points []calibrate.Point
	for _, rate := range f.rates {
		for _, streams := range f.streams {
			points = append(points, calibrate.Point{Streams: streams, Rate: rate})
			c := calibrate.Config{URL: "http://127.0.0.1", Wire: client, Streams: streams, Rate: rate, Duration: f.duration}
			if err := c.Validate(); err != nil {
				return driver.UsageError{Err: err}
			}
		}
	}
	if ext := strings.ToLower(filepath.Ext(f.plot)); f.plot != "" && ext != ".png" && ext != ".svg" {
		return driver.UsageError{Err: fmt.Errorf("--plot %s: its name must end in .png or .svg", f.plot)}
	}
	if len(points) == 0 {
		return driver.UsageError{Err: errors.New("calibrate needs at least one of --streams and of --rate")}
	}
	all, err := withReference(ctx, func(server *child.Server) ([]exobench.Calibration, error) {
		return calibrate.Grid(ctx, calibrate.Config{URL: server.URL, Header: server.Header(nil), Wire: client, Clock: clock, Duration: f.duration, Warm: true}, points)
	})
	if err != nil {
		return err
	}
	result := calibrated{Tool: thisTool(), Host: thisHost(ctx), When: clock.Epoch().UTC(), Calibrations: all}
	if err := keep(calibrationFile, result); err != nil {
		fmt.Fprintf(env.Stderr, "exobench: the calibration is not kept: %v\n", err)
	}
	if f.plot != "" {
		if err := plotCalibration(f.plot, result); err != nil {
			return err
		}
	}
	if f.json {
		encoder := json.NewEncoder(env.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(result)
	}
	return showCalibration(env.Stdout, all)
}

// withReference runs do with the timing reference in a process of its own, which
// is given the flags.
func withReference(ctx context.Context, do func(*child.Server) ([]exobench.Calibration, error), flags ...string) ([]exobench.Calibration, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find exobench's own program: %w", err)
	}
	process, err := child.Serve(ctx, "the timing reference", program, append([]string{"reference", "--port", "0", "--with-parent"}, flags...)...)
	if err != nil {
		return nil, err
	}
	defer process.Stop()
	return do(process)
}

// runRate is the tokens per second of a stream in a run's own calibration, about
// what one stream of a model on one machine brings.
const runRate = 50

// runCalibration is how long the calibration before a run may take in all, and
// enoughGaps how many gaps at each load do: ten of them lie beyond the 99th
// percentile.
const (
	runCalibration = 1500 * time.Millisecond
	enoughGaps     = 1000
)

// openStreams are the numbers of streams that a run with an open loop is
// calibrated at: how many requests it will have under way is not known before.
var openStreams = []int{1, 16, 64}

// streamsOf returns the numbers of streams to calibrate a plan's traffic at, at
// most three.
func streamsOf(p exobench.Plan) []int {
	var streams []int
	for _, t := range p.Traffic {
		if t.Open() {
			streams = append(streams, openStreams...)
		} else {
			streams = append(streams, t.Concurrency)
		}
	}
	slices.Sort(streams)
	streams = slices.Compact(streams)
	if len(streams) > 3 {
		streams = []int{streams[0], streams[len(streams)/2], streams[len(streams)-1]}
	}
	return streams
}

// calibrateRun measures the harness's error at the loads of a run.
func calibrateRun(ctx context.Context, client *wire.Client, clock exobench.Clock, p exobench.Plan) ([]exobench.Calibration, error) {
	var points []calibrate.Point
	for _, n := range streamsOf(p) {
		points = append(points, calibrate.Point{Streams: n, Rate: runRate})
	}
	each := runCalibration/time.Duration(len(points)) - calibrate.TTFT
	return withReference(ctx, func(server *child.Server) ([]exobench.Calibration, error) {
		config := calibrate.Config{URL: server.URL, Header: server.Header(nil), Wire: client, Clock: clock, Duration: each, Enough: enoughGaps}
		all, err := calibrate.Grid(ctx, config, points)
		if len(all) > 0 {
			all[0].Observed = keptObservation()
		}
		return all, err
	}, "--relaxed")
}

// calibrationFile is where the machine's calibration is kept.
const calibrationFile = "calibration.json"

// keptCalibration returns the machine's calibration, if there is one.
func keptCalibration() (calibrated, bool) {
	var c calibrated
	there := kept(calibrationFile, &c)
	return c, there && len(c.Calibrations) > 0
}

// keep writes what was found out of this machine into a file of the user's cache
// folder.
func keep(name string, value any) error {
	folder, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(folder, "exobench", name)
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, text, 0o644))
}

// kept reads what keep wrote, and reports whether there was anything.
func kept(name string, value any) bool {
	folder, err := os.UserCacheDir()
	if err != nil {
		return false
	}
	text, err := os.ReadFile(filepath.Join(folder, "exobench", name))
	return err == nil && json.Unmarshal(text, value) == nil
}

func showCalibration(w io.Writer, all []exobench.Calibration) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "streams\ttokens/s\tevents\tlag p50\tp99\tmax\tTTFT error p50\tp99\tinter-chunk error p50\tp99\tlatency error p50\ttokens/s error\tsend slip p50\tp99\tCPU/1000 events\tmemory/stream\treference behind p99\t")
	micro := func(d time.Duration) string { return fmt.Sprintf("%.1f µs", float64(d)/1e3) }
	for _, c := range all {
		fmt.Fprintf(t, "%d\t%g\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.3f %%\t%s\t%s\t%s\t%v\t%s\t\n", c.Streams, c.Rate, c.Events,
			micro(c.LagP50), micro(c.LagP99), micro(c.LagMax), micro(c.TTFTP50), micro(c.TTFTP99), micro(c.InterChunkP50), micro(c.InterChunkP99),
			micro(c.LatencyP50), 100*c.TokenRate, micro(c.SlipP50), micro(c.SlipP99), micro(c.CPUPer1000), c.StreamMemory, micro(c.Behind))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	stamps := "as reads return"
	if len(all) > 0 && all[0].Kernel {
		stamps = "by the kernel"
	}
	fmt.Fprintf(w, "\nEvents are stamped %s. Lag is from when the reference handed an event to its socket until its stamp.\n", stamps)
	verdict := "At none of these loads is the harness's error more than 5 % of what it measures."
	if streams, rate, bound := calibrate.ClientBound(all); bound {
		verdict = fmt.Sprintf("This machine becomes client-bound at %d streams of %g tokens/s: from there on the harness's error is more than 5 %% of what it measures.", streams, rate)
	}
	_, err := fmt.Fprintln(w, verdict)
	return err
}

// plotCalibration draws the lag at each load.
func plotCalibration(path string, c calibrated) error {
	figure := plot.Figure{
		Title:    "Receive lag of the harness by load",
		Subtitle: fmt.Sprintf("exobench %s · %s · %s", c.Tool.Version, c.Host.Name, c.When.Format("2006-01-02")),
		Axis:     "Lag (µs)",
		Series:   []string{"p50", "p99"},
		Footnote: "From when the timing reference handed an event to its socket until the instant that the harness gives the event.",
	}
	for _, x := range c.Calibrations {
		bar := func(d time.Duration) plot.Bar {
			return plot.Bar{Value: float64(d) / 1e3, Label: fmt.Sprintf("%.3g", float64(d)/1e3)}
		}
		figure.Groups = append(figure.Groups, plot.Group{Name: fmt.Sprintf("%d × %g/s", x.Streams, x.Rate), Bars: []plot.Bar{bar(x.LagP50), bar(x.LagP99)}})
	}
	draw := plot.Bars
	if strings.EqualFold(filepath.Ext(path), ".svg") {
		draw = plot.SVG
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the plot: %w", err)
	}
	return errors.Join(draw(file, figure), file.Close())
}
