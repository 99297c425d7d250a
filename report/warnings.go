package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// sentence says a warning in words: what is in doubt, and what to do about it.
func sentence(w summary.Warning) string {
	for _, say := range []func(summary.Figures) string{runSentence, requestsSentence, courseSentence, memorySentence, doubtSentence, serverSentence, harnessSentence, machineSentence, ceilingSentence, energySentence} {
		if text := say(w.Figures); text != "" {
			return text
		}
	}
	return fmt.Sprintf("%s: %+v", w.Kind, w.Figures)
}

func sentences(warnings []summary.Warning) []string {
	var all []string
	for _, w := range warnings {
		all = append(all, sentence(w))
	}
	return all
}

// runSentence has the sentences about a run as a whole; like the others it
// returns nothing for warnings of another sort.
func runSentence(figures summary.Figures) string {
	switch f := figures.(type) {
	case summary.CutOff:
		return fmt.Sprintf("The run is incomplete: it was cut off after %d measured requests. What follows is of those only.", f.Requests)
	case summary.StoppedEarly:
		return fmt.Sprintf("The run was interrupted after %d measured requests. What follows is of those only.", f.Requests)
	case summary.BrokenOff:
		return fmt.Sprintf("The run failed after %d measured requests: %s", f.Requests, f.Error)
	case summary.DamagedLines:
		if f.Lines == 1 {
			return fmt.Sprintf("1 damaged line of the journal%s was skipped; what it held is missing from every figure.", linesAt(f))
		}
		return fmt.Sprintf("%d damaged lines of the journal%s were skipped; what they held is missing from every figure.", f.Lines, linesAt(f))
	case summary.DoneAgain:
		return fmt.Sprintf("The run was resumed: %d requests of what had been cut short are in no figure, since it was done again as a whole.", f.Requests)
	case summary.CacheUntold:
		why := "the engine did as it was told"
		if f.Apart {
			why = "each prompt began with letters of its own, new in every run"
		}
		return fmt.Sprintf("The answers of %d of %d cells do not tell whether a prompt cache was used (cache unknown): that they were cold rests on it that %s.", f.Cells, f.Of, why)
	case summary.PromptsRepeat:
		return fmt.Sprintf("The plan names the seed %d of what prompts begin with, so every run of it sends the same prompts: a server that has seen one before may answer from its cache.", f.Seed)
	case summary.UnplacedRequests:
		return fmt.Sprintf("%d requests are in no figure: what tells which cell they belong to is missing from the journal.", f.Requests)
	}
	return ""
}

// linesAt lists the numbers of damaged lines that are known, in brackets.
func linesAt(f summary.DamagedLines) string {
	if len(f.At) == 0 {
		return ""
	}
	var numbers []string
	for _, n := range f.At {
		numbers = append(numbers, strconv.Itoa(n))
	}
	if f.Lines > len(f.At) {
		numbers = append(numbers, "…")
	}
	return " (" + strings.Join(numbers, ", ") + ")"
}

// doubtSentence has the sentences about what a server said of its answers.
func doubtSentence(figures summary.Figures) string {
	f, ok := figures.(summary.Doubted)
	if !ok {
		return ""
	}
	d, of := f.Doubt, fmt.Sprintf("%d of %d requests", f.N, f.Of)
	said := shorten(oneLine(d.Text), 80)
	switch d.Kind {
	case exobench.UnknownEvents:
		return fmt.Sprintf("In %s the stream held events that are neither output nor usage nor anything else known (the first: %s): if they were output, the figures are wrong.", of, said)
	case exobench.UnknownFields:
		return fmt.Sprintf("In %s the stream held lines that are no field of an event stream (the first: %s).", of, said)
	case exobench.UnknownFinish:
		return fmt.Sprintf("%s ended with an unknown finish reason (%s): they may not have come whole.", of, said)
	case exobench.UsageMisfit:
		return fmt.Sprintf("In %s the server counts far other numbers of tokens than came (the first: %d for %d events with output): do not trust rates and throughput.", of, d.Said, d.Seen)
	case exobench.AbsurdFigure:
		return fmt.Sprintf("In %s the server said figures that cannot be (the first: %s): they were left out.", of, said)
	case exobench.HiddenReasoning:
		return fmt.Sprintf("In %s reasoning was counted and not streamed (in the first %d tokens, of %d that were streamed): TTFT holds it, and tokens/s are of what was streamed.", of, d.Said, d.Seen)
	case exobench.OtherModel:
		return fmt.Sprintf("In %s the server says that another model answered than the one asked for: %s.", of, said)
	case exobench.NotStreamed:
		return fmt.Sprintf("In %s the answer came as one body though a stream was asked for: nothing tells when its first token was there.", of)
	case exobench.Compressed:
		return fmt.Sprintf("In %s the stream came compressed (%s) though that was not asked for: what compresses may hold events back.", of, said)
	}
	return fmt.Sprintf("In %s: %s %s.", of, d.Kind, said)
}

// memorySentence has the sentences about whose memory was read, and what it was
// compared with.
func memorySentence(figures summary.Figures) string {
	switch f := figures.(type) {
	case summary.ModelWasThere:
		return thereSentences[f.Why]
	case summary.MemoryFell:
		if f.Peak == nil {
			return fmt.Sprintf("The engine had less memory after the load (%v) than before it (%v): it gave back something else meanwhile, so model memory and additional memory are left out.", f.Loaded, f.Before)
		}
		if *f.Peak >= f.Before {
			return fmt.Sprintf("While it answered, the engine's memory was below what it was after the load (%v): it gave memory back meanwhile, so a negative figure of what answering takes says nothing.", f.Loaded)
		}
		return fmt.Sprintf("The engine's memory at its peak (%v) is below what it was before: it gave memory back meanwhile, so negative differences say nothing of what the model takes.", *f.Peak)
	case summary.ProcessChanged:
		return fmt.Sprintf("The engine's process ended while it was measured: memory was read of %d in turn, and %d readings found none. Memory of two processes is not subtracted from each other; what is left out is unknown.", f.N, f.Missed)
	case summary.MemoryBeside:
		return fmt.Sprintf("Memory may be that of a process which is not the engine: %v is counted, and processes beside it that may belong to it have %v; see the notes.", f.Counted, f.Beside)
	case summary.PeakMissed:
		return fmt.Sprintf("Memory peaked between two readings: the greatest reading is %v, and the kernel saw up to %v while requests were under way. Additional and inference memory may be higher by up to %v.", f.Read, f.Kernel, f.Kernel-f.Read)
	case summary.Swapped:
		return fmt.Sprintf("Up to %v of the engine's memory was swapped out, beside the %v that it had: that is in no size here, and fetching it back costs time in every figure. Free memory, or measure a smaller model or context.", f.Swap, f.Loaded)
	case summary.EngineIdle:
		return fmt.Sprintf("Memory may be that of a process which is not the engine: it used %s of the machine's CPU time while requests were under way, and others %s.", percent(f.Engine), percent(f.Others))
	}
	return ""
}

var thereSentences = map[summary.ModelThere]string{
	summary.ToldThere:     "The model was loaded before the run: memory before the load holds it, so model memory and additional memory are without it.",
	summary.OthersThere:   "Another model was in memory before, which the engine cannot unload and may have put out for this one: model memory and additional memory are too low by what it had.",
	summary.NothingLoaded: "The engine's memory did not grow by the load: the model seems to have been there already, so model memory and additional memory are without it.",
}

// counts lists how many there are of each kind.
func counts[T any](all []T, of func(T) (string, int)) string {
	var parts []string
	for _, one := range all {
		kind, n := of(one)
		parts = append(parts, fmt.Sprintf("%s: %d", kind, n))
	}
	return strings.Join(parts, ", ")
}

// serverSentence has the sentences about where client and server do not agree.
func serverSentence(figures summary.Figures) string {
	switch f := figures.(type) {
	case summary.CountsDiffer:
		return fmt.Sprintf("The answers' usage and the server's statistics count output tokens differently in %d of %d requests (medians %.0f and %.0f): rates by the two differ as much.",
			f.Differ, f.N, f.Client, f.Server)
	case summary.DecodeDiffers:
		return fmt.Sprintf("Tokens/s is %.2f times the server's own figure; most likely %s.", f.Ratio, decodeCause(f))
	case summary.PrefillFaster:
		return fmt.Sprintf("Prefill tokens/s is %.2f times the server's own figure, more than TTFT allows; most likely %s.", f.Ratio, fastPrefillCauses[f.Cause])
	case summary.PrefillSlower:
		return fmt.Sprintf("Prefill tokens/s is %.2f times the server's own figure: TTFT holds %.0f ms beyond the server's prefill; most likely %s.",
			f.Ratio, f.Extra.Seconds()*1e3, slowPrefillCause(f))
	}
	return ""
}

func decodeCause(f summary.DecodeDiffers) string {
	switch f.Cause {
	case summary.FirstTokenCounted:
		return fmt.Sprintf("the definitions differ: the server counts the first token but not its time (with %.0f tokens, n / (n − 1) = %.2f)", f.Tokens, f.Tokens/(f.Tokens-1))
	case summary.ReadsShared:
		return fmt.Sprintf("the server or the network holds tokens back and sends several together (%.0f %% of output events came in the same read as the one before); see the inter-chunk figures", 100*f.SharedReads)
	case summary.FirstHeldBack:
		return fmt.Sprintf("the server holds tokens back after the first (the first gap is %.1f times the median one); see the inter-chunk figures", f.FirstGap)
	case summary.AnswersShort:
		return fmt.Sprintf("the answers are too short for a rate (%.0f tokens): raise --max-tokens", f.Tokens)
	case summary.ClientSlower:
		return "tokens reach the client more slowly than the server makes them: the network buffers, or the client or the machine is too busy"
	}
	return "the server's time holds more than the stream shows, such as waiting for other requests, or is taken differently"
}

var fastPrefillCauses = map[summary.FastPrefillCause]string{
	summary.CachedUntold:   "prompt tokens came from the cache that are not told as cached",
	summary.PromptDefined:  "the definitions differ: the server leaves prompt tokens out, or counts time after the first token",
	summary.CacheOrDefined: "a cache hit that the answers do not tell, or different definitions",
}

func slowPrefillCause(f summary.PrefillSlower) string {
	habits := ""
	if f.Tick > 0 {
		habits = fmt.Sprintf("; this engine looks for new requests every %s ms", digits(f.Tick.Seconds()*1e3))
	}
	switch f.Cause {
	case summary.RequestsWait:
		if f.AtOnce > 0 {
			habits += fmt.Sprintf(" and works on at most %d at a time", f.AtOnce)
		}
		return fmt.Sprintf("requests wait for each other (%.3g under way)", f.UnderWay) + habits
	case summary.PromptsShort:
		return fmt.Sprintf("the prompts are so short (%.0f tokens) that the fixed parts outweigh it: template, network, the first token's own time", f.PromptTokens) + habits
	}
	return "queueing, the network or work before the prefill" + habits + "; the server's own figure is the better one"
}

// harnessSentence has the sentences about where the harness or the machine may have
// made the figures.
func harnessSentence(figures summary.Figures) string {
	switch f := figures.(type) {
	case summary.HarnessError:
		what := "the gaps between events"
		if f.Metric == metric.TTFT {
			what = "TTFT"
		}
		return fmt.Sprintf("client-bound: the harness's own error in %s is %v at this load, more than %s of what was measured.", what, f.Error.Round(time.Microsecond), percent(f.Limit))
	case summary.FirstEventsLate:
		return fmt.Sprintf("client-bound: %s of the requests had their first event read so late that it has the stamp of the next, so their TTFT is too long by up to that gap (more than %s of the requests): lower the concurrency, or run exobench on another machine than the engine.",
			percent(f.Share), percent(f.Limit))
	case summary.TimeStolen:
		return fmt.Sprintf("The host of this virtual machine took away %s of its CPU time (more than %s): repeat the run when the host is quieter, or on a machine of its own.", percent(f.Share), percent(f.Limit))
	case summary.OthersBusy:
		whose := "Other processes"
		if !f.EngineSeen {
			whose = "Other processes (the engine among them, if it runs on this machine: its process was not seen)"
		}
		return fmt.Sprintf("%s used %s of the machine's CPU time (more than %s): end them and repeat the run.", whose, percent(f.Share), percent(f.Limit))
	case summary.Hiccup:
		return fmt.Sprintf("A thread of exobench was kept from running for up to %v, which is %s of the shortest thing measured (%v; more than %s): do not trust single long values, and repeat the run on a quieter machine or measure something longer.",
			atAGlance(f.Span), percent(f.Share), atAGlance(f.Of), percent(f.Limit))
	case summary.GarbagePause:
		return fmt.Sprintf("client-bound: collecting its garbage stopped exobench for up to %v, which is %s of the shortest thing measured (%v; more than %s): lower the concurrency or leave exobench more memory and CPU.",
			atAGlance(f.Span), percent(f.Share), atAGlance(f.Of), percent(f.Limit))
	case summary.CoreWait:
		return fmt.Sprintf("client-bound: what exobench had ready to run waited up to %v for a core (99th percentile), which is %s of the shortest thing that this bends (%v; more than %s): lower the concurrency, or run exobench on another machine than the engine.",
			atAGlance(f.Span), percent(f.Share), atAGlance(f.Of), percent(f.Limit))
	case summary.HarnessBusy:
		return fmt.Sprintf("exobench used %s of the machine's CPU time, more than half of the %s that was left to it, and may itself be the limit: run it on another machine than the engine, or with a lower concurrency.",
			percent(f.Share), percent(f.Left))
	}
	return ""
}

// energySentence has the sentences about energies.
func energySentence(figures summary.Figures) string {
	switch f := figures.(type) {
	case summary.IdleNotIdle:
		return fmt.Sprintf("Before the run, with nothing asked of an engine, the machine drew %s W, and %s W while it was measured: something else ran then, so energy above idle says nothing; end it and repeat the run.", digits(f.Idle), digits(f.Measured))
	case summary.PartAboveWhole:
		return fmt.Sprintf("%s told %s W, and %s, which counts all of the machine, only %s W: one of them is wrong, or the meter's clock is off.", f.Part, digits(f.PartWatts), f.Whole, digits(f.WholeWatts))
	}
	return ""
}
