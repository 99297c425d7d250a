package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"exobench"
	"exobench/catalogue"
	"exobench/driver"
	"exobench/driver/api"
	"exobench/internal/panics"
	"exobench/report"
	"exobench/secret"
	"exobench/summary"
	"exobench/terminal"
)

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
			host := thisHost(cmd.Context())
			host.Sensors = append(host.Sensors, calibrationSensor())
			if asJSON {
				encoder := json.NewEncoder(env.Stdout)
				encoder.SetIndent("", "  ")
				return encoder.Encode(map[string]any{"tool": thisTool(), "host": host, "engines": engines, "preflight": preflight(host)})
			}
			return showDetected(env.Stdout, host, engines)
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
		asked.Go(panics.Caught(func() { answers[i] = d.Find(ctx, base, env) }))
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

// doubted is something that spoils figures, and a sentence of it.
type doubted struct {
	summary.Warning
	Text string `json:"text"`
}

// preflight says what on this machine spoils figures.
func preflight(host exobench.Host) []doubted {
	all := []doubted{}
	warnings := summary.Preflight(host)
	for i, text := range report.Sentences(warnings) {
		all = append(all, doubted{warnings[i], text})
	}
	return all
}

// sayPreflight says what must be seen of it before anything is measured.
func sayPreflight(env environment, view *terminal.View, host exobench.Host) {
	for _, text := range report.Sentences(report.Foremost(summary.Preflight(host))) {
		view.Say(env.shown(text))
	}
}

func showDetected(w io.Writer, host exobench.Host, engines []driver.Found) error {
	fmt.Fprintf(w, "exobench %s on %s: %s, %s, %d cores, %v\n\n", version(), host.Name, host.System, host.CPU, host.Cores, host.Memory)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, fact := range report.Sheet(host) {
		fmt.Fprintf(t, "%s\t%s\n", fact.Name, fact.Text)
	}
	fmt.Fprintln(t)
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
	for _, s := range host.Sensors {
		state, text := "missing", s.Why
		if s.Found {
			state = "found"
		} else if s.Enable != "" {
			text += "; to enable it: " + s.Enable
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", s.Name, state, text)
	}
	if doubts := preflight(host); len(doubts) > 0 {
		fmt.Fprintln(t)
		for _, d := range doubts {
			fmt.Fprintln(t, d.Text)
		}
	}
	return t.Flush()
}
