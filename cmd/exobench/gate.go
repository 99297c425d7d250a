package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"exobench"
	"exobench/driver"
	"exobench/summary"
)

// gate says how many of the measured requests may fail before exobench ends
// with an exit code that says so. It changes nothing of what is measured, so it
// is a flag and no member of a plan.
type gate struct{ text string }

// register adds the flag.
func (g *gate) register(flags *pflag.FlagSet) {
	flags.StringVar(&g.text, "allow-failures", "0%", "end with exit code 0 although so many of the measured requests failed, such as 5%")
}

// share returns the share of requests that may fail, 0 to 1.
func (g *gate) share() (float64, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(g.text), "%")
	share, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !percent || !(share >= 0 && share <= 100) {
		return 0, driver.UsageError{Err: fmt.Errorf("--allow-failures is %q: it must be a share of the requests, such as 5%%", g.text)}
	}
	return share / 100, nil
}

// verdict says why a run does not pass; it is empty where it does. A model that
// could not be measured at all is allowed by no share.
func verdict(run *summary.Run, allowed float64) string {
	for _, step := range run.Steps {
		if step.State == summary.Failed {
			return step.Model + " could not be measured"
		}
	}
	if run.End != nil && run.End.Reason == exobench.EndFailed {
		return "the run failed: " + run.End.Error
	}
	wrong, measured := 0, 0
	for _, cell := range run.Cells {
		of := cell.Requests - cell.Outcomes[exobench.Canceled]
		if cell.N == 0 && (of > 0 || cell.State == summary.Done) {
			return fmt.Sprintf("no request of %s under load %v succeeded", cell.Model, cell.Traffic)
		}
		wrong, measured = wrong+of-cell.N, measured+of
	}
	if wrong > 0 && float64(wrong) > allowed*float64(measured) {
		return fmt.Sprintf("%d of %d measured requests failed, and --allow-failures is %.3g%%", wrong, measured, 100*allowed)
	}
	return ""
}
