package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"exobench"
	"exobench/catalogue"
	"exobench/driver"
)

func cleanCommand(env environment) *cobra.Command {
	var url string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "clean",
		Short: "Take away what runs that were killed left on engines",
		Long: `Take away what runs of exobench made on engines and could not take away, since they were killed.

A run marks each instance that it makes on an exo, and each model that it loads on an Ollama, in the
user's cache folder, and holds the mark as long as it lives. What is marked and held by nobody is a
leftover, and is deleted or unloaded; what nobody has marked, and what a run under way made, stays.
Servers that exobench starts itself end with it.`,
		Example: "  exobench clean --dry-run\n  exobench clean\n  exobench clean --url http://mac-studio:52415",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return clean(cmd.Context(), env, url, dryRun) },
	}
	flags := cmd.Flags()
	flags.StringVar(&url, "url", "", "look at the engine at this address only")
	flags.BoolVar(&dryRun, "dry-run", false, "say what would be taken away, and change nothing")
	return cmd
}

func clean(ctx context.Context, env environment, url string, dryRun bool) error {
	url, err := baseOf(url, env.secrets)
	if err != nil {
		return err
	}
	models, err := catalogue.Load("")
	if err != nil {
		return err
	}
	with, err := newEnv(env, exobench.NewClock(), models, false)
	if err != nil {
		return err
	}
	defer with.Wire.Close()
	var problems []error
	found := 0
	for _, d := range drivers {
		cleaner, ok := d.(driver.Cleaner)
		if !ok {
			continue
		}
		all, err := cleaner.Leftovers(ctx, url, with)
		problems = append(problems, err)
		found += len(all)
		for _, l := range all {
			problems = append(problems, cleanOne(ctx, env, cleaner, l, with, dryRun))
		}
	}
	if err := errors.Join(problems...); found > 0 || err != nil {
		return err
	}
	_, err = fmt.Fprintln(env.Stdout, "No run has left anything.")
	return err
}

// cleanOne takes one leftover away and says so.
func cleanOne(ctx context.Context, user environment, cleaner driver.Cleaner, l driver.Leftover, env driver.Env, dryRun bool) error {
	w := user.Stdout
	what, done := fmt.Sprintf("%s at %s: ", l.Engine, user.secrets.Hide(l.URL)), "deleted"
	switch {
	case l.ID == "":
		what, done = what+l.Model, "unloaded"
	case l.Model == "":
		what += "instance " + l.ID
	default:
		what += "instance " + l.ID + " of " + l.Model
	}
	switch {
	case l.State == driver.InUse:
		_, err := fmt.Fprintln(w, what+": left alone: a run under way made it")
		return err
	case l.State == driver.Gone && dryRun:
		done = "it is gone already: its mark would be removed"
	case l.State == driver.Gone:
		done = "it was gone already: its mark is removed"
	case dryRun:
		done = "would be " + done + ": a run that has ended had left it"
	default:
		done += ": a run that has ended had left it"
	}
	if !dryRun {
		if err := cleaner.Clean(ctx, l, env); err != nil {
			return fmt.Errorf("%s could not be taken away: %w", what, err)
		}
	}
	_, err := fmt.Fprintln(w, what+": "+done)
	return err
}
