package report

import (
	"fmt"
	"strings"

	"exobench"
	"exobench/summary"
)

// requestsSentence has the sentences about the requests of a cell.
func requestsSentence(figures summary.Figures) string {
	switch f := figures.(type) {
	case summary.TooFewRequests:
		return fmt.Sprintf("n = %d is too small for a 95 %% interval of a median: raise --repeat so that each cell has at least %d requests.", f.N, f.Least)
	case summary.CacheSuspected:
		return fmt.Sprintf("The server tells nothing of a prompt cache, and TTFT fell to %.0f %% of the first time's when prompts came again: it seems to keep one, so TTFT is too good.", 100*f.Share)
	case summary.FailedRequests:
		return failedSentence(f)
	case summary.CountsMixed:
		return fmt.Sprintf("Output tokens were counted in %d ways (%s): the token metrics are of the %d requests counted by %s alone, and there is no throughput. Find out why the engine reports usage only at times.",
			len(f.Ways), counts(f.Ways, func(w summary.CountedWay) (string, int) { return string(w.From), w.N }), f.N, f.Used)
	case summary.CountsUnknown:
		return fmt.Sprintf("%d of %d OK requests tell no number of output tokens: there is no throughput, and token metrics are without them.", f.N, f.Of)
	case summary.CachedAnswers:
		tokens := ""
		switch {
		case f.Tokens > 0 && f.Prompt > 0:
			tokens = fmt.Sprintf(" (up to %d of %d tokens)", f.Tokens, f.Prompt)
		case f.Tokens > 0:
			tokens = fmt.Sprintf(" (up to %d tokens)", f.Tokens)
		}
		return fmt.Sprintf("%d of %d requests were answered in part from the engine's prompt cache%s although the plan says cold: TTFT is too good.", f.N, f.Of, tokens)
	case summary.UncachedAnswers:
		return fmt.Sprintf("%d of %d requests were answered without the engine's prompt cache although the plan says warm and each prompt had been sent before: the cache holds fewer prompts than the plan has, or none.", f.N, f.Of)
	case summary.ImpossibleFigures:
		return fmt.Sprintf("%d of %d requests have figures that cannot be (the first: %s) and were left out; see what the server sent in the journal.", f.N, f.Of, f.Metric)
	case summary.EndedEarly:
		return earlySentence(f)
	case summary.ModelReloaded:
		if 2*f.N > f.Of {
			return fmt.Sprintf("%d of %d requests waited before their prompt, up to %.3g s, for what the engine calls the load of the model: TTFT and latency hold that. Where so many do, the engine looks at the model's files for each request (Ollama 0.30 and before do), or drops the model after each (keep-alive, memory).", f.N, f.Of, f.Longest.Seconds())
		}
		return fmt.Sprintf("%d of %d requests waited for the model to be loaded again, up to %.3g s: TTFT and latency hold that. Find out why the engine drops the model (keep-alive, memory).", f.N, f.Of, f.Longest.Seconds())
	case summary.LengthsDiffer:
		return fmt.Sprintf("Answers are %d to %d tokens long: compare tokens/s and TPOT, not latency.", f.Least, f.Most)
	case summary.EngineShared:
		return sharedSentence(f)
	case summary.SourcesMixed:
		return fmt.Sprintf("Memory was read in %d ways %q in one run: its differences mean nothing.", len(f.Sources), f.Sources)
	}
	return ""
}

// sharedSentence says what else the engine did.
func sharedSentence(f summary.EngineShared) string {
	var when, what []string
	if f.Loading {
		when = append(when, "while the model was loaded")
	}
	if f.N > 0 {
		when = append(when, fmt.Sprintf("while %d of %d requests were under way", f.N, f.Of))
	}
	if len(when) == 0 {
		when = []string{"between requests"}
	}
	if f.Requests > 0 {
		what = append(what, fmt.Sprintf("other clients had up to %d requests under way on the same model", f.Requests))
	}
	if f.AtWork > 0 {
		what = append(what, fmt.Sprintf("up to %d of its other instances at a time were loaded, answered or were taken away", f.AtWork))
	}
	return fmt.Sprintf("Somebody else used the engine %s: %s. Speed and memory hold that: have the engine to yourself and repeat the run.",
		strings.Join(when, " and "), strings.Join(what, "; "))
}

// failedSentence tells requests that failed from those that were never sent.
func failedSentence(f summary.FailedRequests) string {
	var failed, unsent []summary.OutcomeCount
	for _, o := range f.Outcomes {
		if o.Outcome == exobench.Dropped || o.Outcome == exobench.Unsent {
			unsent = append(unsent, o)
		} else {
			failed = append(failed, o)
		}
	}
	part := func(outcomes []summary.OutcomeCount, what string) string {
		n := 0
		for _, o := range outcomes {
			n += o.N
		}
		return fmt.Sprintf("%d of %d requests %s (%s)", n, f.Of, what,
			counts(outcomes, func(o summary.OutcomeCount) (string, int) { return string(o.Outcome), o.N }))
	}
	switch {
	case len(unsent) == 0:
		return part(failed, "failed") + " and are in no median; see their errors."
	case len(failed) == 0:
		return part(unsent, "were not sent") + " and are in no median."
	}
	return part(failed, "failed") + " and " + part(unsent, "were not sent") + ": none of them is in a median; see their errors."
}

// earlySentence says why a cell has fewer requests than planned.
func earlySentence(f summary.EndedEarly) string {
	switch f.Reason {
	case exobench.BlockNoAnswer:
		return fmt.Sprintf("The engine stopped answering, so the cell ended early: %d of its requests were not sent.", f.Unsent)
	case exobench.BlockInterrupted:
		return "The run was interrupted in this cell: what is there is of the requests before."
	}
	return fmt.Sprintf("exobench could not go on in this cell (%s): what is there is of the requests before.", f.Reason)
}
