package metric

import "exobench"

// decode returns how many output tokens came after the first output instant,
// n − n₁, and the seconds from that instant to the last. It is absent where the
// two do not make a rate.
//
// Events that share the first event's read came no later than it: a server or
// network that held the first tokens back and then sent them together must not
// make the rest look faster. So n₁ counts the tokens of all of them.
func decode(r *exobench.Record) (tokens, secs float64, ok bool) {
	events := len(r.Chunks)
	if r.OutputTokens == nil || events < 2 {
		return 0, 0, false
	}
	first := 1
	for first < events && r.Chunks[first].At == r.Chunks[0].At {
		first++
	}
	n := float64(*r.OutputTokens)
	if r.HiddenTokens != nil {
		n -= float64(*r.HiddenTokens)
	}
	tokens = n - max(1, float64(first)*n/float64(events))
	secs, ok = seconds(r.FirstToken, r.LastToken)
	return tokens, secs, ok && tokens > 0 && secs > 0
}

func tokensPerSecond(r *exobench.Record) (float64, bool) {
	tokens, secs, ok := decode(r)
	if !ok {
		return 0, false
	}
	return tokens / secs, true
}

func tpot(r *exobench.Record) (float64, bool) {
	tokens, secs, ok := decode(r)
	if !ok {
		return 0, false
	}
	return secs / tokens, true
}

func endToEndTokensPerSecond(r *exobench.Record) (float64, bool) {
	secs, ok := latency(r)
	if !ok || secs <= 0 || r.OutputTokens == nil {
		return 0, false
	}
	return float64(*r.OutputTokens) / secs, true
}

func prefillTokensPerSecond(r *exobench.Record) (float64, bool) {
	secs, ok := ttft(r)
	if !ok || secs <= 0 || r.PromptTokens == nil {
		return 0, false
	}
	uncached := *r.PromptTokens
	if r.CachedTokens != nil {
		uncached -= *r.CachedTokens
	}
	if uncached <= 0 || float64(uncached) < uncachedShare*float64(*r.PromptTokens) {
		return 0, false
	}
	return float64(uncached) / secs, true
}

// uncachedShare is the least share of a prompt that has to be processed for its
// rate to mean anything: the time to the first token of a prompt that was cached
// but for a few tokens is spent on other things.
const uncachedShare = 0.05

// prefillMeasured goes by the engine's news of its prefill. Where they do not say
// how many tokens it was of, those that were not cached count.
func prefillMeasured(r *exobench.Record) (float64, bool) {
	secs, ok := seconds(r.PrefillStart, r.PrefillEnd)
	if !ok || secs <= 0 {
		return 0, false
	}
	tokens := r.PrefillTokens
	if tokens == nil && r.PromptTokens != nil {
		tokens = new(*r.PromptTokens)
		if r.CachedTokens != nil {
			*tokens -= *r.CachedTokens
		}
	}
	if tokens == nil || *tokens <= 0 {
		return 0, false
	}
	return float64(*tokens) / secs, true
}

func serverPrefill(r *exobench.Record) (float64, bool) {
	if r.Server == nil {
		return 0, false
	}
	return reported(r.Server.PrefillTPS)
}

func serverDecode(r *exobench.Record) (float64, bool) {
	if r.Server == nil {
		return 0, false
	}
	return reported(r.Server.DecodeTPS)
}

// reported returns a rate that a server gives. No answer came at a rate of 0:
// exo says so where it has none.
func reported(rate *float64) (float64, bool) {
	if rate == nil || *rate <= 0 {
		return 0, false
	}
	return *rate, true
}

// serverPeakMemory returns what the engine says of its own memory; 0 says
// nothing.
func serverPeakMemory(r *exobench.Record) (float64, bool) {
	if r.Server == nil || r.Server.PeakMemory == nil || *r.Server.PeakMemory <= 0 {
		return 0, false
	}
	return float64(*r.Server.PeakMemory), true
}
