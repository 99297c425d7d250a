package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"exobench"
	"exobench/calibrate"
	"exobench/resource"
	"exobench/target/exo"
	"exobench/target/exolegacy"
	"exobench/target/llamacpp"
	"exobench/target/ollama"
	"exobench/target/openai"
	"exobench/wire"
)

// found is an engine that answers on this host.
type found struct {
	Engine  string   `json:"engine"`
	Version string   `json:"version,omitempty"`
	URL     string   `json:"url"`
	Loaded  []string `json:"loaded,omitempty"`
	Models  int      `json:"models"`
	Detail  string   `json:"detail,omitempty"`
}

// sensor is something that can be measured here, or why not.
type sensor struct {
	Name  string `json:"name"`
	There bool   `json:"there"`
	Text  string `json:"text"`
}

func detectCommand(env environment) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "detect",
		Short: "Show which engines answer on this host, and what can be measured",
		Long: `Look for engines at their usual ports on this host, and say which answer, what they have loaded,
what machine this is, and which sensors can be read.`,
		Example: "  exobench detect",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			engines, sensors := detectEngines(cmd.Context(), detectTime), detectSensors(cmd.Context())
			host := thisHost(cmd.Context())
			if asJSON {
				encoder := json.NewEncoder(env.Stdout)
				encoder.SetIndent("", "  ")
				return encoder.Encode(map[string]any{"tool": thisTool(), "host": host, "engines": engines, "sensors": sensors})
			}
			return showDetected(env.Stdout, host, engines, sensors)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// How long engines may take to answer: when asked for, and in passing.
const (
	detectTime = 15 * time.Second
	glanceTime = 300 * time.Millisecond
)

// place is where engines usually listen, and who may answer there.
type place struct {
	url  string
	asks []func(ctx context.Context, url string) (found, error)
}

var places = []place{
	{exo.Default.URL, []func(context.Context, string) (found, error){findExo, findExoLegacy}},
	{ollama.Default.URL, []func(context.Context, string) (found, error){findOllama}},
	{"http://127.0.0.1:8080", []func(context.Context, string) (found, error){findLlamacpp, findOpenAI}},
	{"http://127.0.0.1:8000", []func(context.Context, string) (found, error){findOpenAI}},
	{"http://127.0.0.1:1234", []func(context.Context, string) (found, error){findOpenAI}},
	{"http://127.0.0.1:30000", []func(context.Context, string) (found, error){findOpenAI}},
}

// otherEngines glances at the usual places, and says how to measure what
// answers there.
func otherEngines(ctx context.Context) []string {
	var hints []string
	for _, f := range detectEngines(ctx, glanceTime) {
		hints = append(hints, fmt.Sprintf("%s answers at %s: to measure it, give --engine %s --url %s --model NAME", f.Engine, f.URL, f.Engine, f.URL))
	}
	return hints
}

// detectEngines asks at every place at once, for as long as limit.
func detectEngines(ctx context.Context, limit time.Duration) []found {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answers := make([]*found, len(places))
	var asked sync.WaitGroup
	for i, p := range places {
		asked.Go(func() {
			for _, ask := range p.asks {
				if f, err := ask(ctx, p.url); err == nil {
					answers[i] = &f
					return
				}
			}
		})
	}
	asked.Wait()
	engines := []found{}
	for _, f := range answers {
		if f != nil {
			engines = append(engines, *f)
		}
	}
	return engines
}

func findExo(ctx context.Context, url string) (found, error) {
	t, err := exo.Dial(ctx, exo.Config{URL: url})
	if err != nil {
		return found{}, err
	}
	f := found{Engine: "exo", Version: "v1", URL: url}
	if cards, err := t.Models(ctx); err == nil {
		f.Models = len(cards)
	}
	f.Loaded, _ = t.Loaded(ctx)
	var nodes []string
	for _, n := range t.Nodes() {
		nodes = append(nodes, strings.TrimSpace(fmt.Sprintf("%s %s, %v of %v free", n.Name, n.Chip, n.Available, n.Memory)))
	}
	f.Detail = fmt.Sprintf("%d node(s): %s", len(nodes), strings.Join(nodes, "; "))
	return f, nil
}

func findExoLegacy(ctx context.Context, url string) (found, error) {
	t, err := exolegacy.Dial(ctx, exolegacy.Config{URL: url, Wire: wire.NewClient(wire.Config{})})
	if err != nil {
		return found{}, err
	}
	return found{Engine: "exo-legacy", Version: t.Info().Version, URL: url, Models: len(t.Models())}, nil
}

func findOllama(ctx context.Context, url string) (found, error) {
	t, err := ollama.Dial(ctx, ollama.Config{URL: url})
	if err != nil {
		return found{}, err
	}
	f := found{Engine: "ollama", Version: t.Info().Version, URL: url, Models: len(t.Models())}
	loaded, _ := t.Loaded(ctx)
	for _, m := range loaded {
		f.Loaded = append(f.Loaded, m.Name)
	}
	return f, nil
}

func findLlamacpp(ctx context.Context, url string) (found, error) {
	t, err := llamacpp.Dial(ctx, llamacpp.Config{URL: url})
	if err != nil {
		return found{}, err
	}
	return found{Engine: "llamacpp", Version: t.Info().Version, URL: url, Loaded: t.Models(), Models: len(t.Models())}, nil
}

func findOpenAI(ctx context.Context, url string) (found, error) {
	t, err := openai.Dial(ctx, openai.Config{URL: url})
	if err != nil {
		return found{}, err
	}
	return found{Engine: "openai", URL: url, Models: len(t.Models()), Detail: "has " + listed(t.Models())}, nil
}

// detectSensors says what can be measured here.
func detectSensors(ctx context.Context) []sensor {
	return []sensor{memorySensor(ctx), gpuSensor(ctx), powerSensor(), calibrationSensor()}
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
	r, err := resource.Tree{PID: os.Getpid()}.Read(ctx)
	switch {
	case err != nil:
		s.Text = err.Error()
	case r.Source == exobench.FromPSS:
		s.There, s.Text = true, "proportional set size, anonymous and file-backed apart"
	default:
		s.There, s.Text = true, "resident set size"
	}
	return s
}

func gpuSensor(ctx context.Context) sensor {
	s := sensor{Name: "GPU", Text: "none seen: nvidia-smi is not there"}
	path, err := exec.LookPath("nvidia-smi")
	if err != nil {
		return s
	}
	out, err := exec.CommandContext(ctx, path, "--query-gpu=name,memory.total", "--format=csv,noheader").Output()
	if err != nil {
		s.Text = "nvidia-smi is there and fails: " + err.Error()
		return s
	}
	s.There = true
	s.Text = strings.Join(strings.Split(strings.TrimSpace(string(out)), "\n"), "; ") + " (seen; its memory and power are not measured yet)"
	return s
}

func powerSensor() sensor {
	s := sensor{Name: "power", Text: "no counter found; exo tells the power of Macs with macmon"}
	if runtime.GOOS != "linux" {
		return s
	}
	counters, _ := filepath.Glob("/sys/class/powercap/intel-rapl:*/energy_uj")
	for _, path := range counters {
		if file, err := os.Open(path); err == nil {
			file.Close()
			s.There, s.Text = true, "RAPL counters can be read (seen; energy is not measured from them yet)"
			return s
		}
		s.Text = "RAPL counters are there, but only root may read them"
	}
	return s
}

func showDetected(w io.Writer, host exobench.Host, engines []found, sensors []sensor) error {
	fmt.Fprintf(w, "exobench %s on %s: %s, %s, %d cores, %v\n\n", version(), host.Name, host.System, host.CPU, host.Cores, host.Memory)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(engines) == 0 {
		fmt.Fprintln(t, "No engine answers at its usual port. exobench run measures the embedded one.")
	} else {
		fmt.Fprintln(t, "ENGINE\tVERSION\tURL\tMODELS\tLOADED\t")
	}
	for _, f := range engines {
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
