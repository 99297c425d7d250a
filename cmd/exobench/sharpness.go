package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"exobench/compare"
	"exobench/driver"
	"exobench/metric"
	"exobench/report"
)

// sharpnessSeed is that of the draws: the same run gives the same answer.
const sharpnessSeed = 1

// sharpMetrics are looked at where nobody names any: memory has one figure a load.
var sharpMetrics = []string{metric.TokenRate, metric.TTFT, metric.Latency}

func sharpnessCommand(env environment) *cobra.Command {
	var f compareFlags
	var budgets []time.Duration
	var tries int
	var asJSON, asMarkdown bool
	cmd := &cobra.Command{
		Use:   "sharpness FOLDER",
		Short: "Say how small a slowdown comparisons on this machine can find",
		Long: `Say how small a slowdown a comparison would find in nine of ten tries, and how often it would tell one
where there is none, in so much time for both sides together. The loads of a run with many of one engine
(--loads 40) are what comparisons are made of: neighbours are taken as the two sides of an --ab run, one
of them is made slower, and the verdict is looked at.`,
		Example: `  exobench run --engine embedded --model llama-3.2-1b --repeat 2 --loads 40 --out results/same
  exobench sharpness results/same --budget 1m,5m`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return driver.UsageError{Err: fmt.Errorf("sharpness takes the result folder of one run")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(f.metrics) == 0 {
				f.metrics = sharpMetrics
			}
			o, _, err := f.options()
			if err == nil {
				err = compare.CheckBudgets(budgets)
			}
			if err == nil && (tries < 20 || tries > 100_000) {
				err = fmt.Errorf("--tries is %d: it must be from 20 to 100000", tries)
			}
			if err != nil {
				return driver.UsageError{Err: err}
			}
			var all []compare.Sharpness
			err = untilInterrupt(cmd.Context(), func() error {
				if err := checkJournal(args[0]); err != nil {
					return err
				}
				run, err := readRun(args[0])
				if err != nil {
					return fmt.Errorf("%s: %w", args[0], err)
				}
				if all, err = compare.Sharpen(run, budgets, tries, sharpnessSeed, o); err != nil {
					return driver.UsageError{Err: err}
				}
				return nil
			})
			if err != nil {
				return err
			}
			return writeAs(env.Stdout, formOf(asJSON, asMarkdown), all, report.Sharpness(all, o.MinEffect))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.minEffect, "min-effect", "2%", "least change that matters: smaller ones are never told")
	flags.StringSliceVar(&f.metrics, "metric", nil, "metrics to look at, by their columns with or without the unit (default "+strings.Join(sharpMetrics, ", ")+")")
	flags.DurationSliceVar(&budgets, "budget", []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}, "times for both sides together")
	flags.IntVar(&tries, "tries", 400, "comparisons to make for each slowdown")
	flags.BoolVar(&asMarkdown, "markdown", false, "write Markdown")
	flags.BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}
