package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"exobench"
	"exobench/catalogue"
	"exobench/driver"
	"exobench/journal"
	"exobench/report"
	"exobench/resource"
	"exobench/run"
	"exobench/secret"
	"exobench/terminal"
	"exobench/wire"
)

// runFlags are the flags of exobench run.
type runFlags struct {
	planFlags
	gate
	baseline
	resumeFlags
	out                 string
	quiet, json, dryRun bool
}

func runCommand(env environment) *cobra.Command {
	f := runFlags{planFlags: planFlags{secrets: env.secrets}}
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
  exobench run --plan plan.yaml --repeat 10
  exobench run --model llama-3.2-1b --all-placements --max-nodes 2 --dry-run
  exobench run --resume results/latest`,
		Args: f.moreVariants,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case f.folder != "":
				return resume(cmd.Context(), env, f)
			case f.force:
				return driver.UsageError{Err: errors.New("--force goes with --resume")}
			}
			return measure(cmd.Context(), env, f)
		},
	}
	groups := new(flagGroups)
	f.planFlags.register(cmd, groups)
	out := groups.add("Output")
	out.StringVar(&f.out, "out", "", "folder for the results (default: results/<UTC time>)")
	out.BoolVar(&f.quiet, "quiet", false, "show no progress")
	out.BoolVar(&f.json, "json", false, "print summary.json in place of the table")
	f.gate.register(out)
	f.baseline.register(out)
	out.BoolVar(&f.dryRun, "dry-run", false, "say what would be placed and measured, load nothing and write nothing")
	f.resumeFlags.register(out)
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
	allowed, err := f.gate.share()
	if err != nil {
		return err
	}
	if err := f.baseline.check(plan); err != nil {
		return err
	}
	if err := checkPowerLog(plan); err != nil {
		return err
	}
	tight, err := checkFiles(plan)
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
		drivers.Progress = func(line string) { fmt.Fprintln(env.Stderr, env.shown(line)) }
	}
	o := opener{plan: plan, env: drivers, header: f.given, addresses: f.addresses, secrets: env.secrets}
	all, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer closeAll(all)
	if tight != "" {
		o.note("", tight)
	}
	if f.dryRun {
		return dryRun(ctx, env, o, all, f.json)
	}
	out, err := makeFolder(f.out, clock.Epoch())
	if err != nil {
		return err
	}
	s := session{id: 1, plan: o.plan, engines: all, notes: o.notes, out: out, clock: clock, wire: drivers.Wire, secrets: env.secrets, models: models}
	writer, err := s.begin()
	if err != nil {
		return err
	}
	reason, err := s.record(ctx, env, writer, f.quiet)
	return conclude(env, f, out.follow(writer), allowed, reason, err)
}

// session is one process of a run of a plan, from the engines that were opened to
// the end of what it adds to the journal.
type session struct {
	// id numbers the sessions of a run from 1, and past is what those before did.
	id      int
	past    *run.Past
	plan    exobench.Plan
	engines []run.Engine
	notes   []exobench.Note
	out     folder
	clock   exobench.Clock
	wire    *wire.Client
	secrets *secret.Set
	models  *catalogue.Catalogue
}

// header is what a journal begins with.
func (s session) header() *exobench.Header {
	h := &exobench.Header{Schema: exobench.SchemaVersion, RunID: s.out.runID, Tool: thisTool(), Plan: s.plan}
	for _, e := range s.engines {
		h.Engines = append(h.Engines, secret.Map(e.Entry, s.secrets.Hide))
	}
	return h
}

// begin makes the journal. Where that fails, as on a disk that is full, nothing
// is left that would keep the folder from being used again.
func (s session) begin() (*journal.Writer, error) {
	writer, err := journal.Create(s.out.journal(), s.header(), journal.Options{Private: secretive(s.plan)})
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil, s.out.taken()
	case err != nil:
		s.out.abandon()
		return nil, fmt.Errorf("the journal cannot be written: %w: name another folder with --out", err)
	}
	return writer, nil
}

// record runs the plan, writes the journal, and closes it.
func (s session) record(ctx context.Context, env environment, writer *journal.Writer, quiet bool) (exobench.EndReason, error) {
	view := terminal.Start(env.Stderr, terminal.Options{Events: s.wire.Events, Quiet: quiet, Now: s.clock.Now})
	end := env.sayThrough(view.Say)
	defer func() { end(); view.Close() }()
	recorder, promptSeed := tee{writer, view, s.secrets}, run.PromptSeed(s.plan)
	writer.OnTrouble(s.tellTrouble(env, writer))
	sensors := openHostSensors(ctx, env, s.clock)
	defer sensors.Close()
	host := thisHost(ctx)
	host.GPUs = sensors.gpus.Devices()
	err := errors.Join(view.Append(s.header()), recorder.Append(&exobench.Session{
		ID: s.id, Epoch: s.clock.Epoch().UTC(), Host: host, PID: os.Getpid(), PromptSeed: promptSeed,
	}))
	if !quiet {
		sayPreflight(env, view, host)
	}
	for _, missing := range sensors.gpus.Missing() {
		s.notes = append(s.notes, exobench.Note{Text: missing.String()})
	}
	for _, n := range s.notes {
		n.At, n.Session = s.clock.Now(), s.id
		err = errors.Join(err, recorder.Append(&n))
	}
	config := run.Config{
		Plan: s.plan, Session: s.id, PromptSeed: promptSeed, Past: s.past, Engines: s.engines, Recorder: recorder, Clock: s.clock,
		Machine: func(pid func() int) run.Machine { return resource.NewMachine(pid) },
		CPU:     resource.CPU,
		Trim:    s.wire.Trim,
		Log:     powerLog(s.plan, s.clock),
	}
	sensors.addTo(&config)
	config.Ceilings = func(ctx context.Context) ([]exobench.Ceiling, error) { return s.ceilings(ctx, host) }
	if s.plan.Calibrate {
		config.Calibrate = func(ctx context.Context) ([]exobench.Calibration, error) {
			return calibrateRun(ctx, s.wire, s.clock, s.plan)
		}
	}
	stopped := s.tellStops(ctx, recorder)
	reason, runErr := run.Execute(ctx, config)
	stopped()
	runErr = withStack(runErr, s.out.path, s.secrets)
	// The writer tells of its first failure again and again.
	return reason, cmp.Or(err, runErr, writer.Close())
}

// tee keeps entries in the journal, and then shows them.
type tee struct {
	journal *journal.Writer
	view    *terminal.View
	secrets *secret.Set
}

func (t tee) Append(e exobench.Entry) error {
	e = reword(e, t.secrets)
	if err := t.journal.Append(e); err != nil {
		return err
	}
	return t.view.Append(e)
}

// conclude makes the reports, shows the results, and returns how exobench ends.
// runErr is why the run came to a bad end, if it did: what was measured before
// is worth showing all the same.
func conclude(env environment, f runFlags, out folder, allowed float64, reason exobench.EndReason, runErr error) error {
	results, reportErr := makeReports(out.path)
	if results.run != nil {
		out.linkLatest()
	}
	trouble := out.trouble(runErr, reportErr)
	if trouble != nil && !f.quiet {
		fmt.Fprintln(env.Stderr) // apart from the view
	}
	var shown error
	if results.run != nil {
		shown = show(env.Stdout, results, f.json, reportErr == nil)
	}
	if err := errors.Join(trouble, shown); err != nil {
		if reason == exobench.EndInterrupted {
			exitCode(env, err)
			return exitError(exitInterrupted)
		}
		return err
	}
	if reason == exobench.EndInterrupted {
		return exitError(exitInterrupted)
	}
	if err := results.pass(env, allowed); err != nil {
		return err
	}
	return f.baseline.compare(env, results, f.json)
}

// show prints the results and, where all reports are written, where they are.
func show(stdout io.Writer, r results, asJSON, written bool) error {
	err := r.write(stdout, asJSON)
	if err == nil && written && !asJSON {
		_, err = fmt.Fprintf(stdout, "\nResults are in %s: %s, and %s.\n", tame(r.path), strings.Join(report.Files(), ", "), journal.Name)
	}
	if err != nil {
		return fmt.Errorf("the results could not be printed in full (%w): they are in %s", err, r.path)
	}
	return nil
}
