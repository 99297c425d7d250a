package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"exobench"
	"exobench/calibrate"
	"exobench/catalogue"
	"exobench/driver"
	"exobench/driver/api"
	"exobench/gpu"
	"exobench/resource"
	"exobench/secret"
)

// sensor is something that can be measured here, or why not.
type sensor struct {
	Name  string `json:"name"`
	There bool   `json:"there"`
	Text  string `json:"text"`
}

func detectCommand(env environment) *cobra.Command {
	var asJSON bool
	var address string
	cmd := &cobra.Command{
		Use:   "detect",
		Short: "Show which engines answer on this host, and what can be measured",
		Long: `Look for engines at their usual ports on this host, or at --url, and say which answer, what they have
loaded, what machine this is, and which sensors can be read.`,
		Example: "  exobench detect\n  exobench detect --url http://mac-studio:52415",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			engines, err := detect(cmd.Context(), env, address)
			if err := cmp.Or(cmd.Context().Err(), err); err != nil {
				return err
			}
			engines = secret.Map(engines, env.secrets.Hide)
			sensors, host := detectSensors(cmd.Context(), env), thisHost(cmd.Context())
			if asJSON {
				encoder := json.NewEncoder(env.Stdout)
				encoder.SetIndent("", "  ")
				return encoder.Encode(map[string]any{"tool": thisTool(), "host": host, "engines": engines, "sensors": sensors})
			}
			return showDetected(env.Stdout, host, engines, sensors)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().StringVar(&address, "url", "", "look at this address only")
	return cmd
}

// How long engines may take to answer: when asked for, and in passing.
const (
	detectTime = 15 * time.Second
	glanceTime = 300 * time.Millisecond
)

// detect looks for engines for the user.
func detect(ctx context.Context, env environment, address string) ([]driver.Found, error) {
	base, err := baseOf(address, env.secrets)
	if err != nil {
		return nil, err
	}
	models, err := catalogue.Load("")
	if err != nil {
		return nil, err
	}
	drivers, err := newEnv(env, exobench.NewClock(), models, false)
	if err != nil {
		return nil, err
	}
	defer drivers.Wire.Close()
	return find(ctx, base, drivers, detectTime), nil
}

// baseOf returns the base of the server that --url of a user means, which is one
// whatever its form; it is empty where nothing was given.
func baseOf(given string, secrets *secret.Set) (string, error) {
	secrets.AddURL(given)
	if given == "" {
		return "", nil
	}
	base, err := api.ParseURL(given)
	if err != nil {
		return "", driver.UsageError{Err: fmt.Errorf("--url is %q: %w", given, err)}
	}
	return base.String(), nil
}

// find asks for engines of all kinds at once, for as long as limit. Where two
// kinds find an engine at one address, the first in the list has it.
func find(ctx context.Context, base string, env driver.Env, limit time.Duration) []driver.Found {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answers := make([][]driver.Found, len(drivers))
	var asked sync.WaitGroup
	for i, d := range drivers {
		asked.Go(func() { answers[i] = d.Find(ctx, base, env) })
	}
	asked.Wait()
	taken := map[string]bool{}
	engines := []driver.Found{}
	for _, all := range answers {
		for _, f := range all {
			if !taken[f.URL] {
				engines = append(engines, f)
			}
			taken[f.URL] = true
		}
	}
	return engines
}

// otherEngines glances at the usual places, and says how to measure what
// answers there.
func otherEngines(ctx context.Context, env driver.Env) []string {
	var hints []string
	for _, f := range find(ctx, "", env, glanceTime) {
		hints = append(hints, fmt.Sprintf("%s answers at %s: to measure it, give --engine %s --url %s --model NAME", f.Engine, f.URL, f.Engine, f.URL))
	}
	return hints
}

// detectSensors says what can be measured here.
func detectSensors(ctx context.Context, env environment) []sensor {
	return slices.Concat([]sensor{memorySensor(ctx), gpuSensor(ctx)}, powerSensors(powerRoots(env.Getenv)), []sensor{calibrationSensor()})
}

// calibrationSensor tells the harness's own error, where it was measured.
func calibrationSensor() sensor {
	c, ok := keptCalibration()
	if !ok {
		return sensor{Name: "calibration", Text: "not measured yet: exobench calibrate"}
	}
	last := c.Calibrations[len(c.Calibrations)-1]
	text := fmt.Sprintf("of %s: lag p50 %v, p99 %v at %d streams of %g tokens/s", c.When.Format("2006-01-02"),
		last.LagP50.Round(100), last.LagP99.Round(100), last.Streams, last.Rate)
	if streams, rate, bound := calibrate.ClientBound(c.Calibrations); bound {
		text += fmt.Sprintf("; client-bound from %d streams of %g tokens/s", streams, rate)
	}
	return sensor{Name: "calibration", There: true, Text: text}
}

func memorySensor(ctx context.Context) sensor {
	s := sensor{Name: "process memory"}
	values, err := resource.Tree{PID: os.Getpid()}.Read(ctx)
	_, proportional := values.Get(exobench.PSS)
	switch {
	case err != nil:
		s.Text = err.Error()
	case proportional:
		s.There, s.Text = true, "proportional set size, anonymous and file-backed apart"
	default:
		s.There, s.Text = true, "resident set size"
	}
	return s
}

// gpuSensor tells of the GPUs that can be read, and of what would be needed for
// others.
func gpuSensor(ctx context.Context) sensor {
	devices, missing := gpu.Devices(ctx)
	var parts []string
	for _, d := range devices {
		parts = append(parts, gpuText(d))
	}
	for _, m := range missing {
		parts = append(parts, m.String())
	}
	if len(parts) == 0 {
		parts = append(parts, "none seen")
	}
	return sensor{Name: "GPU", There: len(devices) > 0, Text: strings.Join(parts, "; ")}
}

// gpuText says what a GPU is.
func gpuText(g exobench.GPU) string {
	text := cmp.Or(g.Name, g.ID)
	switch {
	case g.Memory > 0:
		text += ", " + g.Memory.String()
	case g.Unified:
		text += ", in the host's memory"
	}
	for _, part := range g.MIG {
		text += ", " + part
	}
	return text
}

func showDetected(w io.Writer, host exobench.Host, engines []driver.Found, sensors []sensor) error {
	fmt.Fprintf(w, "exobench %s on %s: %s, %s, %d cores, %v\n\n", version(), host.Name, host.System, host.CPU, host.Cores, host.Memory)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(engines) == 0 {
		fmt.Fprintln(t, "No engine answers at its usual port. exobench run measures the embedded one.")
	} else {
		fmt.Fprintln(t, "ENGINE\tVERSION\tURL\tMODELS\tLOADED\t")
	}
	for _, f := range secret.Map(engines, forTable) {
		loaded := strings.Join(f.Loaded, ", ")
		if loaded == "" {
			loaded = "–"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\t%s\n", f.Engine, f.Version, f.URL, f.Models, loaded, f.Detail)
	}
	fmt.Fprintln(t)
	for _, s := range sensors {
		state := "missing"
		if s.There {
			state = "found"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", s.Name, state, s.Text)
	}
	return t.Flush()
}
