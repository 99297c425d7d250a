package main

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"exobench"
	"exobench/compare"
	"exobench/driver"
)

// baseline says what a run is compared with when it is done: an earlier run, or,
// where it has variants, its first one.
type baseline struct {
	compareFlags
	against string
}

func (b *baseline) register(flags *pflag.FlagSet) {
	flags.StringVar(&b.against, "baseline", "", "result folder of an earlier run to compare this one with at its end")
	b.compareFlags.register(flags)
}

// check finds what is wrong with the flags before anything is loaded.
func (b *baseline) check(p exobench.Plan) error {
	if _, _, err := b.options(); err != nil {
		return err
	}
	switch {
	case b.against != "":
		if err := checkJournal(b.against); err != nil {
			return err
		}
		_, err := readRun(b.against)
		return err
	case b.failOn != "" && !hasVariants(p):
		return driver.UsageError{Err: errors.New("--fail-on needs something to compare with: --baseline FOLDER, or variants with --ab")}
	}
	return nil
}

// hasVariants reports whether the plan's engines are variants of one.
func hasVariants(p exobench.Plan) bool {
	return len(p.Engines) > 1 && p.Engines[0].Variant != "" && p.Engines[1].Variant != "" && p.Engines[0].Name == p.Engines[1].Name
}

// compare shows the comparison, and returns how exobench ends for it.
func (b *baseline) compare(env environment, r results, asJSON bool) error {
	o, limits, err := b.options()
	if err != nil {
		return err
	}
	var found *compare.Result
	switch {
	case b.against != "":
		found, err = compareFolders([]string{b.against, r.path}, o)
	case hasVariants(r.run.Header.Plan):
		found, err = compare.Variants(r.run, o)
	default:
		return nil
	}
	if err != nil {
		return fmt.Errorf("the run cannot be compared: %w", err)
	}
	if asJSON { // summary.json stands alone
		env.Stdout = env.Stderr
	}
	fmt.Fprintln(env.Stdout)
	return showComparison(env, found, limits, formText)
}
