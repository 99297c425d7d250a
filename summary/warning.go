package summary

import (
	"fmt"

	"exobench"
)

// Warnings says what about the run as a whole the reader must know first.
func (r *Run) Warnings() []string {
	var warnings []string
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	switch {
	case r.Incomplete:
		warn("The run is incomplete: it was cut off after %d measured requests. What follows is of those only.", r.Requests)
	case r.Interrupted:
		warn("The run was interrupted after %d measured requests. What follows is of those only.", r.Requests)
	case r.End.Reason == exobench.EndFailed:
		warn("The run failed after %d measured requests: %s", r.Requests, r.End.Error)
	}
	if r.Damaged > 0 {
		warn("%d damaged lines of the journal were skipped; what they held is missing from every figure.", r.Damaged)
	}
	return warnings
}

// addWarnings says what in the cell's figures to doubt.
func (a *accumulator) addWarnings(c *Cell, run *Run, compared *comparison) {
	warn := func(format string, args ...any) { c.Warnings = append(c.Warnings, fmt.Sprintf(format, args...)) }
	if c.N < IntervalN && c.N > 0 {
		warn("n = %d is too small for a 95 %% interval of a median: raise --repeat so that each cell has at least %d requests.", c.N, IntervalN)
	}
	if c.Cache == CacheUnknown {
		if text := collapseWarning(a.ok, compared.space); text != "" {
			warn("%s", text)
		}
	}
	if failed := c.Requests - c.N; failed > 0 {
		warn("%d of %d requests failed (%s) and are in no median; see their errors.", failed, c.Requests, c.failures())
	}
	if mixed := a.ok.used(); len(mixed) > 1 {
		warn("Output tokens were counted in %d ways (%s): the token metrics are of the %d requests counted by %s alone, and there is no throughput. Find out why the engine reports usage only at times.",
			len(mixed), a.ok.describeKinds(), a.ok.lengthsOf(c.TokensFrom).n, c.TokensFrom)
	} else if unknown := c.N - a.ok.lengthsOf(c.TokensFrom).n; unknown > 0 {
		warn("%d of %d OK requests tell no number of output tokens: there is no throughput, and token metrics are without them.", unknown, c.N)
	}
	if run.Header.Plan.Cache == "cold" && c.Cache == CacheWarm {
		warn("%d of %d requests were answered in part from the engine's prompt cache although the plan says cold: TTFT is too good.", a.cache[CacheWarm], c.N)
	}
	if a.reloads > 0 {
		warn("%d of %d requests waited for the model to be loaded again, up to %.3g s: TTFT and latency hold that. Find out why the engine drops the model (keep-alive, memory).",
			a.reloads, c.Requests, a.longestLoad.Seconds())
	}
	if l := a.ok.lengthsOf(c.TokensFrom); l.least != l.most && mayStopEarly(run.Header, c.Engine) {
		warn("Answers are %.0f to %.0f tokens long: compare tokens/s and TPOT, not latency.", l.least, l.most)
	}
	if readings := run.memory[c.Subject]; readings != nil && len(readings.sources) > 1 {
		warn("Memory was read in %d ways %q in one run: its differences mean nothing.", len(readings.sources), readings.sources)
	}
	c.Warnings = append(c.Warnings, disagreements(compared, c)...)
}

// mayStopEarly reports whether answers may be shorter than asked for.
func mayStopEarly(h exobench.Header, engine string) bool {
	e, _ := h.Engine(engine)
	return h.Plan.NaturalStop || !e.IgnoresEOS
}
