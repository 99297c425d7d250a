package journal

import (
	"slices"

	"exobench"
)

// recordSpace holds a Record and all that it points to, to be used again.
type recordSpace struct {
	record                 exobench.Record
	prompt, cached, output exobench.Tokens
	reasoning, hidden      exobench.Tokens
	prefill                exobench.Tokens
	chunks                 exobench.Chunks
	delays                 []int64
	server                 serverSpace
	doubts                 []exobench.Doubt
}

type serverSpace struct {
	stats           exobench.ServerStats
	prefill, decode float64
	prompt, output  exobench.Tokens
	draft, accepted exobench.Tokens
	peak            exobench.Bytes
}

// sampleSpace holds a Sample and all that it points to, to be used again.
type sampleSpace struct {
	sample exobench.Sample
	values exobench.Values
}

// recordMembers are the members of a Record's line.
var recordMembers = []member[recordSpace]{
	{"type", func(p *parser, _ *recordSpace) { p.literal() }},
	{"seq", func(p *parser, s *recordSpace) { number(p, &s.record.Seq) }},
	{"block", func(p *parser, s *recordSpace) { number(p, &s.record.Block) }},
	{"prompt_id", func(p *parser, s *recordSpace) { name(p, &s.record.PromptID) }},
	{"repeat", func(p *parser, s *recordSpace) { number(p, &s.record.Repeat) }},
	{"outcome", func(p *parser, s *recordSpace) { name(p, &s.record.Outcome) }},
	{"error", func(p *parser, s *recordSpace) { name(p, &s.record.Error) }},
	{"http_status", func(p *parser, s *recordSpace) { number(p, &s.record.HTTPStatus) }},
	{"finish_reason", func(p *parser, s *recordSpace) { name(p, &s.record.FinishReason) }},
	{"server_id", func(p *parser, s *recordSpace) { s.record.ServerID = p.string() }},
	{"server_model", func(p *parser, s *recordSpace) { name(p, &s.record.ServerModel) }},
	{"scheduled_ns", func(p *parser, s *recordSpace) { number(p, &s.record.Scheduled) }},
	{"sent_ns", func(p *parser, s *recordSpace) { number(p, &s.record.Sent) }},
	{"dial_ns", func(p *parser, s *recordSpace) { number(p, &s.record.Dial) }},
	{"headers_ns", func(p *parser, s *recordSpace) { number(p, &s.record.Headers) }},
	{"first_chunk_ns", func(p *parser, s *recordSpace) { number(p, &s.record.FirstChunk) }},
	{"first_token_ns", func(p *parser, s *recordSpace) { number(p, &s.record.FirstToken) }},
	{"first_answer_ns", func(p *parser, s *recordSpace) { number(p, &s.record.FirstAnswer) }},
	{"last_token_ns", func(p *parser, s *recordSpace) { number(p, &s.record.LastToken) }},
	{"done_ns", func(p *parser, s *recordSpace) { number(p, &s.record.Done) }},
	{"ended_ns", func(p *parser, s *recordSpace) { number(p, &s.record.Ended) }},
	{"prefill_start_ns", func(p *parser, s *recordSpace) { number(p, &s.record.PrefillStart) }},
	{"prefill_end_ns", func(p *parser, s *recordSpace) { number(p, &s.record.PrefillEnd) }},
	{"prefill_tokens", func(p *parser, s *recordSpace) { s.record.PrefillTokens = number(p, &s.prefill) }},
	{"replays", func(p *parser, s *recordSpace) { number(p, &s.record.Replays) }},
	{"prompt_tokens", func(p *parser, s *recordSpace) { s.record.PromptTokens = number(p, &s.prompt) }},
	{"cached_tokens", func(p *parser, s *recordSpace) { s.record.CachedTokens = number(p, &s.cached) }},
	{"output_tokens", func(p *parser, s *recordSpace) { s.record.OutputTokens = number(p, &s.output) }},
	{"tokens_from", func(p *parser, s *recordSpace) { name(p, &s.record.TokensFrom) }},
	{"reasoning_tokens", func(p *parser, s *recordSpace) { s.record.ReasoningTokens = number(p, &s.reasoning) }},
	{"hidden_tokens", func(p *parser, s *recordSpace) { s.record.HiddenTokens = number(p, &s.hidden) }},
	{"chunks", func(p *parser, s *recordSpace) { s.record.Chunks = p.chunks(&s.chunks) }},
	{"delays_ns", func(p *parser, s *recordSpace) { s.record.Delays = p.integers(&s.delays) }},
	{"server", func(p *parser, s *recordSpace) { s.record.Server = p.server(&s.server) }},
	{"doubts", func(p *parser, s *recordSpace) { s.record.Doubts = p.doubts(&s.doubts) }},
}

// serverMembers are the members of a ServerStats.
var serverMembers = []member[serverSpace]{
	{"prefill_tps", func(p *parser, s *serverSpace) { s.stats.PrefillTPS = float(p, &s.prefill) }},
	{"decode_tps", func(p *parser, s *serverSpace) { s.stats.DecodeTPS = float(p, &s.decode) }},
	{"prompt_tokens", func(p *parser, s *serverSpace) { s.stats.PromptTokens = number(p, &s.prompt) }},
	{"output_tokens", func(p *parser, s *serverSpace) { s.stats.OutputTokens = number(p, &s.output) }},
	{"peak_memory_bytes", func(p *parser, s *serverSpace) { s.stats.PeakMemory = number(p, &s.peak) }},
	{"prefix_cache", func(p *parser, s *serverSpace) { name(p, &s.stats.PrefixCache) }},
	{"load_time_ns", func(p *parser, s *serverSpace) { number(p, &s.stats.LoadTime) }},
	{"draft_tokens", func(p *parser, s *serverSpace) { s.stats.DraftTokens = number(p, &s.draft) }},
	{"accepted_tokens", func(p *parser, s *serverSpace) { s.stats.AcceptedTokens = number(p, &s.accepted) }},
}

// doubtMembers are the members of a Doubt.
var doubtMembers = []member[exobench.Doubt]{
	{"kind", func(p *parser, d *exobench.Doubt) { name(p, &d.Kind) }},
	{"count", func(p *parser, d *exobench.Doubt) { number(p, &d.Count) }},
	{"said", func(p *parser, d *exobench.Doubt) { number(p, &d.Said) }},
	{"seen", func(p *parser, d *exobench.Doubt) { number(p, &d.Seen) }},
	{"text", func(p *parser, d *exobench.Doubt) { name(p, &d.Text) }},
}

// sampleMembers are the members of a Sample's line.
var sampleMembers = []member[sampleSpace]{
	{"type", func(p *parser, _ *sampleSpace) { p.literal() }},
	{"at_ns", func(p *parser, s *sampleSpace) { number(p, &s.sample.At) }},
	{"step", func(p *parser, s *sampleSpace) { number(p, &s.sample.Step) }},
	{"moment", func(p *parser, s *sampleSpace) { name(p, &s.sample.Moment) }},
	{"block", func(p *parser, s *sampleSpace) { number(p, &s.sample.Block) }},
	{"sensor", func(p *parser, s *sampleSpace) { name(p, &s.sample.Sensor) }},
	{"of", func(p *parser, s *sampleSpace) { name(p, &s.sample.Of) }},
	{"span_ns", func(p *parser, s *sampleSpace) { number(p, &s.sample.Span) }},
	{"values", func(p *parser, s *sampleSpace) { s.sample.Values = p.values(&s.values) }},
}

// record reads a Record's line into its space.
func (p *parser) record(s *recordSpace) bool {
	s.record = exobench.Record{}
	object(p, recordMembers, s)
	return p.end()
}

// sample reads a Sample's line into its space.
func (p *parser) sample(s *sampleSpace) bool {
	s.sample = exobench.Sample{}
	object(p, sampleMembers, s)
	return p.end()
}

func (p *parser) server(s *serverSpace) *exobench.ServerStats {
	s.stats = exobench.ServerStats{}
	object(p, serverMembers, s)
	return &s.stats
}

func (p *parser) doubts(space *[]exobench.Doubt) []exobench.Doubt {
	all := slices.Grow((*space)[:0], 1) // an empty array is not nil
	for more := p.scan.Open('[', ']'); more; more = p.scan.More(']') {
		all = append(all, exobench.Doubt{})
		object(p, doubtMembers, &all[len(all)-1])
	}
	*space = all
	return all
}

// chunks reads the flat array of pairs, as Chunks do.
func (p *parser) chunks(space *exobench.Chunks) exobench.Chunks {
	flat := p.integers(&p.flat)
	if len(flat)%2 != 0 {
		p.scan.Fail()
		return nil
	}
	all := slices.Grow((*space)[:0], max(1, len(flat)/2))
	var at exobench.Instant
	for i := 0; i < len(flat); i += 2 {
		at += exobench.Instant(flat[i])
		all = append(all, exobench.Chunk{At: at, Bytes: int(flat[i+1])})
	}
	*space = all
	return all
}

// values reads the object of a sample's values, in their order.
func (p *parser) values(space *exobench.Values) exobench.Values {
	all := (*space)[:0]
	for more := p.scan.Open('{', '}'); more; more = p.scan.More('}') {
		quantity := exobench.Quantity(p.words.of(p.scan.Key()))
		all = append(all, exobench.Value{Quantity: quantity, Value: p.scan.Float()})
	}
	if len(all) == 0 {
		return nil
	}
	*space = all
	return all
}

// number reads a whole number that fits the field.
func number[T ~int | ~int64](p *parser, field *T) *T {
	n := p.scan.Integer()
	if *field = T(n); int64(*field) != n {
		p.scan.Fail()
	}
	return field
}

func float(p *parser, field *float64) *float64 {
	*field = p.float()
	return field
}

// name reads a string that other lines have too.
func name[T ~string](p *parser, field *T) { *field = T(p.name()) }
