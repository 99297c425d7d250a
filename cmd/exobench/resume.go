package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"exobench"
	"exobench/catalogue"
	"exobench/driver"
	"exobench/journal"
	"exobench/planfile"
	"exobench/run"
	"exobench/secret"
)

// resumeFlags are the flags of exobench run that go on with a run.
type resumeFlags struct {
	folder string
	force  bool
}

func (f *resumeFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.folder, "resume", "", "go on with the run in this result folder where it stopped, with its own plan")
	flags.BoolVar(&f.force, "force", false, "with --resume: go on although engine, files, hardware or exobench are others; the report says so")
}

// begun is a run that another session is to go on with.
type begun struct {
	header exobench.Header
	host   *exobench.Host // of its first session; nil where it has none
	past   *run.Past
	// damaged is how many lines of its journal cannot be read.
	damaged int
}

// resume goes on with the run in a folder.
func resume(ctx context.Context, env environment, f runFlags) error {
	allowed, err := f.gate.share()
	if err != nil {
		return err
	}
	out, err := folderOf(f.folder)
	if err != nil {
		return err
	}
	if f.out != "" {
		return driver.UsageError{Err: errors.New("--resume writes into the folder that it names: leave --out out")}
	}
	writer, err := journal.Open(out.journal())
	switch {
	case errors.Is(err, journal.ErrInUse):
		return driver.UsageError{Err: fmt.Errorf("another exobench is measuring into %s: wait for its end, or end it first", out.path)}
	case err != nil:
		return fmt.Errorf("the run in %s cannot be resumed: %w", out.path, err)
	}
	reason, began, err := goOn(ctx, env, f, out, writer)
	if closed := writer.Close(); !began {
		return errors.Join(err, closed)
	} else if err == nil {
		err = closed
	}
	return conclude(env, f, out.follow(writer), allowed, reason, err)
}

// goOn carries out what is left of the run in a folder.
//
// Began reports whether there is anything to report on: what was refused before
// is an error alone.
func goOn(ctx context.Context, env environment, f runFlags, out folder, writer *journal.Writer) (reason exobench.EndReason, began bool, err error) {
	b, err := readBegun(out.path)
	if err != nil {
		return "", false, err
	}
	out.runID = b.header.RunID
	if end := b.past.End; end != nil && end.Reason == exobench.EndFinished && b.damaged == 0 {
		fmt.Fprintf(env.Stderr, "The run in %s is finished: nothing is left to do.\n", out.path)
		return end.Reason, true, nil
	}
	plan := b.header.Plan
	f.hideAddresses(plan.Engines) // of a journal of old
	models, err := catalogue.Load(plan.ModelsFile)
	if err != nil {
		return "", false, driver.UsageError{Err: err}
	}
	if err := samePlan(&f.planFlags, plan, models); err != nil {
		return "", false, err
	}
	if err := checkPowerLog(plan); err != nil {
		return "", false, err
	}
	// The limits are those of this process.
	tight, err := checkFiles(plan)
	if err != nil {
		return "", false, err
	}
	// What is known without an engine comes first: opening one may take long.
	changes := b.machineChanges(thisTool(), thisHost(ctx))
	if err := refuse(f, changes); err != nil {
		return "", false, err
	}
	clock := exobench.NewClock()
	drivers, err := newEnv(env, clock, models, plan.Insecure)
	if err != nil {
		return "", false, err
	}
	defer drivers.Wire.Close()
	if !f.quiet {
		drivers.Progress = func(line string) { fmt.Fprintln(env.Stderr, env.shown(line)) }
	}
	o := opener{plan: plan, env: drivers, header: f.given, addresses: f.addresses, secrets: env.secrets}
	all, err := o.open(ctx)
	if err != nil {
		return "", false, err
	}
	defer closeAll(all)
	changes = append(changes, b.engineChanges(all, env.secrets)...)
	if err := refuse(f, changes); err != nil {
		return "", false, err
	}
	s := session{id: b.past.Last + 1, past: b.past, plan: plan, engines: all, out: out, clock: clock, wire: drivers.Wire, secrets: env.secrets, models: models}
	if tight != "" {
		s.notes = append(s.notes, exobench.Note{Text: tight})
	}
	for _, change := range changes {
		s.notes = append(s.notes, exobench.Note{Text: "the run was resumed by force although " + change})
	}
	reason, err = s.record(ctx, env, writer, f.quiet)
	return reason, true, err
}

// folderOf returns the folder of a run that there is.
func folderOf(path string) (folder, error) {
	f := folder{path: path}
	if err := checkJournal(path); err != nil {
		return f, err
	}
	// The link results/latest moves on; the folder that it names stays.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		f.path, f.runID = real, filepath.Base(real)
		f.byDefault = filepath.Dir(real) == resultsFolder
	}
	return f, nil
}

// readBegun reads what there is of a run.
func readBegun(path string) (begun, error) {
	b := begun{past: new(run.Past)}
	err := readJournal(path, func(r *journal.Reader) error {
		for entry := range r.All() {
			switch e := entry.(type) {
			case *exobench.Header:
				b.header = *e
			case *exobench.Session:
				if b.host == nil {
					b.host = new(e.Host)
				}
			}
			b.past.Add(entry)
		}
		b.damaged = r.Damage()
		return nil
	})
	if err != nil {
		return b, fmt.Errorf("the run in %s cannot be resumed: %w", path, err)
	}
	return b, nil
}

// samePlan makes sure that the flags given do not ask for another plan. Another
// plan would be another run, by force too: it stands in the header, and all that
// was measured is of it.
func samePlan(f *planFlags, plan exobench.Plan, models *catalogue.Catalogue) error {
	wanted := plan
	if f.file != "" {
		var err error
		if wanted, err = planfile.ReadFile(f.file, defaultPlan()); err != nil {
			return driver.UsageError{Err: err}
		}
		if slices.Equal(labels(wanted.Engines), []string{auto}) {
			wanted.Engines = plan.Engines // what it chose
		}
	}
	if err := f.apply(&wanted); err != nil {
		return driver.UsageError{Err: err}
	}
	if err := complete(&wanted, models); err != nil {
		return driver.UsageError{Err: err}
	}
	f.hideAddresses(wanted.Engines)
	if others := planDifferences(plan, wanted); len(others) > 0 {
		return driver.UsageError{Err: fmt.Errorf("--resume goes on with the plan of the run, and what is asked for differs in %s: leave that out, or start a new run", strings.Join(others, ", "))}
	}
	return nil
}

// planDifferences names the members in which two plans differ.
func planDifferences(a, b exobench.Plan) []string {
	var members [2]map[string]json.RawMessage
	for i, p := range []exobench.Plan{a, b} {
		text, err := json.Marshal(p)
		if err == nil {
			err = json.Unmarshal(text, &members[i])
		}
		if err != nil {
			return []string{err.Error()}
		}
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(members[0])) {
		if !reflect.DeepEqual(value(members[0][name]), value(members[1][name])) {
			names = append(names, name)
		}
	}
	return names
}

// value decodes a member, in which an empty list is no other than none.
func value(text json.RawMessage) any {
	var v any
	_ = json.Unmarshal(text, &v) // it was encoded just now
	return bare(v)
}

// bare leaves out what is empty.
func bare(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if v[name] = bare(member); v[name] == nil || v[name] == "" {
				delete(v, name)
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i := range v {
			v[i] = bare(v[i])
		}
		if len(v) == 0 {
			return nil
		}
	}
	return v
}

// refuse returns the error of changes, unless the user wants to go on
// nevertheless.
func refuse(f runFlags, changes []string) error {
	if len(changes) == 0 || f.force {
		return nil
	}
	return driver.UsageError{Err: fmt.Errorf("the run in %s cannot go on as it began: %s; start a new run, or go on nevertheless with --force, which the report will say",
		f.folder, strings.Join(changes, "; "))}
}

// machineChanges says in what exobench and the machine are others than they were.
func (b begun) machineChanges(tool exobench.Tool, host exobench.Host) []string {
	var c changes
	was := b.header.Tool
	c.check("exobench", was.Version, tool.Version)
	c.check("the Go that exobench is built with", was.Go, tool.Go)
	c.check("the system", was.OS+"/"+was.Arch, tool.OS+"/"+tool.Arch)
	if b.host == nil {
		return c // it was killed before it could say
	}
	c.check("the system", b.host.System, host.System)
	c.check("the processor", b.host.CPU, host.CPU)
	c.check("the number of cores", b.host.Cores, host.Cores)
	c.check("the cores that control groups leave (0: all)", b.host.Limits.CPUs, host.Limits.CPUs)
	// Firmware and kernel leave a little less or more of the same memory.
	if was, is := float64(b.host.Memory), float64(host.Memory); max(was, is)-min(was, is) > 0.01*was {
		c.check("the memory", b.host.Memory, host.Memory)
	}
	return c
}

// engineChanges says in what the engines are others than they were.
func (b begun) engineChanges(now []run.Engine, secrets *secret.Set) []string {
	var c changes
	for i, was := range b.header.Engines {
		if i >= len(now) {
			c.check("engine "+was.Name, was.Name, "")
			continue
		}
		is, of := secret.Map(now[i].Entry, secrets.Hide), "engine "+was.Name+": "
		c.check("engine "+was.Name, was.Name, is.Name)
		c.check(of+"the driver", was.Driver, is.Driver)
		c.check(of+"the version", was.Version, is.Version)
		c.check(of+"what its results are of", was.Label, is.Label)
		c.check(of+"driving loads", was.LifeCycle, is.LifeCycle)
		c.check(of+"keeping prompts out of the cache", was.CacheSwitch, is.CacheSwitch)
		c.check(of+"answers of a given length", was.IgnoresEOS, is.IgnoresEOS)
		c.check(of+"the models", modelIDs(was.Models), modelIDs(is.Models))
		c.check(of+"the model files", fileNames(was.Files), fileNames(is.Files))
	}
	return c
}

// changes are sentences on what is other than it was.
type changes []string

// check adds a sentence where two values differ.
func (c *changes) check(what string, was, is any) {
	if was != is {
		*c = append(*c, fmt.Sprintf("%s is %v, and was %v", what, is, was))
	}
}

func modelIDs(models []exobench.Model) string {
	var ids []string
	for _, m := range models {
		ids = append(ids, m.ID)
	}
	return strings.Join(ids, ", ")
}

func fileNames(files []exobench.ModelFile) string {
	var names []string
	for _, f := range files {
		names = append(names, fmt.Sprintf("%s (%d bytes of %s)", f.Path, f.Size, f.Modified.UTC().Format("2006-01-02 15:04:05.999")))
	}
	return strings.Join(names, ", ")
}

// modelFiles describes the files that an engine reads its models from.
func modelFiles(e driver.Engine) []exobench.ModelFile {
	filer, ok := e.(driver.Filer)
	if !ok {
		return nil
	}
	var files []exobench.ModelFile
	for _, path := range filer.Files() {
		file := exobench.ModelFile{Path: path}
		if info, err := os.Stat(path); err == nil {
			file.Size, file.Modified = exobench.Bytes(info.Size()), info.ModTime().UTC()
		}
		files = append(files, file)
	}
	return files
}
