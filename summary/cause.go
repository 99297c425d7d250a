package summary

import "fmt"

// What the decision on the cause of a disagreement goes by.
const (
	// fewTokens is below what one token's time more or less is over 3 % of all.
	fewTokens = 32
	// manyShared is the share of events in the read of the one before, and
	// longFirstGap the first gap over the median one, from which on tokens are
	// held back.
	manyShared   = 0.2
	longFirstGap = 4
	// exactly is how far a ratio may be from what another definition gives.
	exactly = 0.02
	// farBelow is the prefill ratio below which TTFT is mostly something else.
	farBelow = 0.5
	// fewPromptTokens are read so fast that the fixed parts of TTFT count for
	// more.
	fewPromptTokens = 64
)

// disagreements says where the client's figures of a cell and the server's own
// do not agree, and why that most likely is.
func disagreements(all *comparison, c *Cell) []string {
	if c.ClientServer == nil {
		return nil
	}
	var warnings []string
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	if output := c.ClientServer.Output; output != nil {
		if n := miscounted(all); n > 0 {
			warn("The answers' usage and the server's statistics count output tokens differently in %d of %d requests (medians %.0f and %.0f): rates by the two differ as much.",
				n, output.N, output.Client, output.Server)
		}
	}
	if d := c.ClientServer.Decode; d != nil && offBy(d.Ratio, Tolerance) {
		warn("Tokens/s is %.2f times the server's own figure; most likely %s.", d.Ratio, decodeCause(all, d.Ratio))
	}
	if p := c.ClientServer.Prefill; p != nil {
		switch {
		case p.Ratio > 1+Tolerance:
			warn("Prefill tokens/s is %.2f times the server's own figure, more than TTFT allows; most likely %s.", p.Ratio, fastPrefillCause(c))
		case p.Ratio < farBelow:
			extra := all.medianOf((*comparison).prefillRate, all.extra)
			warn("Prefill tokens/s is %.2f times the server's own figure: TTFT holds %.0f ms beyond the server's prefill; most likely %s.", p.Ratio, 1000*extra, slowPrefillCause(all, c))
		}
	}
	return warnings
}

// miscounted returns how many answers have another number of tokens in their
// usage than in the server's statistics.
func miscounted(all *comparison) (n int) {
	for _, output := range all.giving((*comparison).output) {
		if output.client != output.server {
			n++
		}
	}
	return n
}

// decodeCause says why the decode rates of client and server differ by a ratio,
// from the requests that give both; each has at least two tokens.
func decodeCause(all *comparison, ratio float64) string {
	medianOf := func(figure func(i int) float64) float64 { return all.medianOf((*comparison).decode, figure) }
	tokens := medianOf(all.tokens)
	// A server that counts the first token, whose time is in the prefill, gives
	// n / (n − 1) times the rate.
	counted := medianOf(func(i int) float64 { return all.decode(i).ratio() * all.tokens(i) / (all.tokens(i) - 1) })
	shared := medianOf(all.rows.server.shared.of)
	firstGap := medianOf(all.rows.server.firstGap.of)
	switch {
	case !offBy(counted, exactly):
		return fmt.Sprintf("the definitions differ: the server counts the first token but not its time (with %.0f tokens, n / (n − 1) = %.2f)", tokens, tokens/(tokens-1))
	case shared >= manyShared:
		return fmt.Sprintf("the server or the network holds tokens back and sends several together (%.0f %% of output events came in the same read as the one before); see the inter-chunk figures", 100*shared)
	case firstGap >= longFirstGap:
		return fmt.Sprintf("the server holds tokens back after the first (the first gap is %.1f times the median one); see the inter-chunk figures", firstGap)
	case tokens < fewTokens:
		return fmt.Sprintf("the answers are too short for a rate (%.0f tokens): raise --max-tokens", tokens)
	case ratio < 1:
		return "tokens reach the client more slowly than the server makes them: the network buffers, or the client or the machine is too busy"
	}
	return "the server's time holds more than the stream shows, such as waiting for other requests, or is taken differently"
}

// fastPrefillCause says why the client's estimate can be above the server's
// rate: TTFT is longer than the prefill that it holds.
func fastPrefillCause(c *Cell) string {
	switch c.Cache {
	case CacheWarm:
		return "prompt tokens came from the cache that are not told as cached"
	case CacheCold:
		return "the definitions differ: the server leaves prompt tokens out, or counts time after the first token"
	}
	return "a cache hit that the answers do not tell, or different definitions"
}

// slowPrefillCause says what else TTFT holds.
func slowPrefillCause(all *comparison, c *Cell) string {
	prompt := all.medianOf((*comparison).prefillRate, all.prompt)
	switch {
	case c.Concurrency > 1:
		return fmt.Sprintf("requests wait for each other (concurrency %d)", c.Concurrency)
	case prompt < fewPromptTokens:
		return fmt.Sprintf("the prompts are so short (%.0f tokens) that the fixed parts outweigh it: template, network, the first token's own time", prompt)
	}
	return "queueing, the network or work before the prefill; the server's own figure is the better one"
}
