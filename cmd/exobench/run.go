package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"exobench"
	"exobench/journal"
	"exobench/report"
	"exobench/resource"
	"exobench/run"
	"exobench/terminal"
	"exobench/wire"
)

// runFlags are the flags of exobench run.
type runFlags struct {
	planFlags
	out         string
	quiet, json bool
}

func runCommand(env environment) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Measure models with prompts: the main job",
		Long: `Measure each model with each prompt, several times, and write the results to a folder.

With exo on this node it measures exo: each model is placed, loaded, warmed up, measured and
taken away. Without, it measures the embedded engine, whose speed says nothing of a real one.`,
		Example: `  exobench run
  exobench run --model llama-3.2-1b --repeat 10
  exobench run --engine exo --url http://mac-studio:52415 --model mlx-community/Qwen3-0.6B-4bit
  exobench run --engine llamacpp --synthetic --model llama-3.2-1b
  exobench run --engine exo,ollama --model llama-3.2-1b --pull
  exobench run --engine openai --url http://127.0.0.1:8080 --model NAME --concurrency 1,4
  exobench run --plan plan.yaml --repeat 10`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return measure(cmd.Context(), env, f) },
	}
	groups := new(flagGroups)
	f.register(cmd, groups)
	out := groups.add("Output")
	out.StringVar(&f.out, "out", "", "folder for the results (default: results/<UTC time>)")
	out.BoolVar(&f.quiet, "quiet", false, "show no progress")
	out.BoolVar(&f.json, "json", false, "print summary.json in place of the table")
	groups.attach(cmd)
	return cmd
}

// measure is the main job. What can be wrong with the request is found before
// anything is loaded.
func measure(ctx context.Context, env environment, f runFlags) error {
	plan, models, err := f.plan()
	if err != nil {
		return err
	}
	clock := exobench.NewClock()
	drivers, err := newEnv(env, clock, models, plan.Insecure)
	if err != nil {
		return err
	}
	defer drivers.Wire.Close()
	if !f.quiet {
		drivers.Progress = func(line string) { fmt.Fprintln(env.Stderr, line) }
	}
	o := opener{plan: plan, env: drivers, header: f.given}
	all, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer closeAll(all)
	out, err := makeFolder(f.out, clock.Epoch())
	if err != nil {
		return err
	}
	s := session{plan: o.plan, engines: all, out: out, clock: clock, wire: drivers.Wire}
	reason, err := s.record(ctx, env, f.quiet)
	if err != nil {
		return err
	}
	return conclude(env, f, out, reason)
}

// session is one run of a plan, from the engines that were opened to the end of
// its journal.
type session struct {
	plan    exobench.Plan
	engines []run.Engine
	out     folder
	clock   exobench.Clock
	wire    *wire.Client
}

// sessionID is the number of a run's only session.
const sessionID = 1

// record runs the plan and writes the journal.
func (s session) record(ctx context.Context, env environment, quiet bool) (exobench.EndReason, error) {
	header := &exobench.Header{
		Schema: exobench.SchemaVersion, RunID: s.out.runID, Tool: thisTool(), Plan: s.plan,
	}
	var engines []run.Engine
	for _, e := range s.engines {
		header.Engines = append(header.Engines, e.Entry)
		engines = append(engines, e)
	}
	writer, err := journal.Create(s.out.journal(), header)
	if err != nil {
		return "", fmt.Errorf("create the journal: %w", err)
	}
	view := terminal.Start(env.Stderr, terminal.Options{Events: s.wire.Events, Quiet: quiet, Now: s.clock.Now})
	end := env.sayThrough(view.Say)
	defer func() { end(); view.Close() }()
	recorder := tee{writer, view}
	err = errors.Join(view.Append(header), recorder.Append(&exobench.Session{
		ID: sessionID, Epoch: s.clock.Epoch().UTC(), Host: thisHost(ctx), PID: os.Getpid(),
	}))
	config := run.Config{
		Plan: s.plan, Session: sessionID, Engines: engines, Recorder: recorder, Clock: s.clock,
		Machine: func(pid func() int) run.Machine { return resource.NewMachine(pid) },
	}
	if s.plan.Calibrate {
		config.Calibrate = func(ctx context.Context) ([]exobench.Calibration, error) {
			return calibrateRun(ctx, s.wire, s.clock, s.plan)
		}
	}
	reason, runErr := run.Execute(ctx, config)
	return reason, errors.Join(err, runErr, writer.Close())
}

// tee keeps entries in the journal, and then shows them.
type tee struct {
	journal *journal.Writer
	view    *terminal.View
}

func (t tee) Append(e exobench.Entry) error {
	if err := t.journal.Append(e); err != nil {
		return err
	}
	return t.view.Append(e)
}

// conclude makes the reports, shows the results, and returns how exobench ends.
func conclude(env environment, f runFlags, out folder, reason exobench.EndReason) error {
	results, err := makeReports(out.path)
	if err != nil {
		return fmt.Errorf("the journal is safe at %s, but the reports failed: %w", out.journal(), err)
	}
	if err := show(env.Stdout, results, out.path, f.json); err != nil {
		return err
	}
	out.linkLatest()
	switch {
	case reason == exobench.EndInterrupted:
		return exitError(exitInterrupted)
	case results.failed():
		return exitError(exitFailed)
	}
	return nil
}

// show prints the results and where they are.
func show(stdout io.Writer, r results, path string, asJSON bool) error {
	if asJSON {
		return r.writeJSON(stdout)
	}
	if err := r.writeTable(stdout); err != nil {
		return err
	}
	_, err := fmt.Fprintf(stdout, "\nResults are in %s: %s, and %s.\n", path, strings.Join(report.Files(), ", "), journal.Name)
	return err
}
