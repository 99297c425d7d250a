package exobench

// Doubt is a reason to look twice at what a server said of a request: the answer
// counts as it is, and whoever reads its figures should know. A record has at
// most one of each kind.
type Doubt struct {
	Kind DoubtKind `json:"kind"`
	// Count is how often it was met, where that can be more than once.
	Count int64 `json:"count,omitempty"`
	// Said is a figure of the server's, Seen what the stream shows in its place.
	Said int64 `json:"said,omitempty"`
	Seen int64 `json:"seen,omitempty"`
	// Text is what the server sent, of the first time: bounded, on one line, and
	// without control characters.
	Text string `json:"text,omitempty"`
}

// DoubtKind says what a Doubt is about.
type DoubtKind string

// The kinds of doubt.
const (
	// UnknownEvents: Count events were neither output nor usage nor anything
	// else that is known; Text is the first.
	UnknownEvents DoubtKind = "unknown_events"
	// UnknownFields: Count lines of the stream are no field that event streams
	// have; Text is the first.
	UnknownFields DoubtKind = "unknown_fields"
	// UnknownFinish: the finish reason, Text, is none that is known.
	UnknownFinish DoubtKind = "unknown_finish"
	// UsageMisfit: the server counts Said tokens, Seen events with output came,
	// and neither the length of their text nor drafts explain the difference.
	UsageMisfit DoubtKind = "usage_misfit"
	// AbsurdFigure: Count figures of the server's cannot be and were left out;
	// Text names the first.
	AbsurdFigure DoubtKind = "absurd_figure"
	// HiddenReasoning: Said tokens of reasoning were counted and not streamed,
	// Seen tokens were; the first token came after the reasoning.
	HiddenReasoning DoubtKind = "hidden_reasoning"
	// OtherModel: the server says that another model, Text, answered than the
	// one asked for.
	OtherModel DoubtKind = "other_model"
	// NotStreamed: the answer came as one body though a stream was asked for, so
	// that nothing tells when its first token was there.
	NotStreamed DoubtKind = "not_streamed"
	// Compressed: the stream came compressed, by Text, though that was not asked
	// for: what compresses may hold events back.
	Compressed DoubtKind = "compressed"
)

// DoubtKinds lists every kind.
var DoubtKinds = []DoubtKind{
	UnknownEvents, UnknownFields, UnknownFinish, UsageMisfit, AbsurdFigure,
	HiddenReasoning, OtherModel, NotStreamed, Compressed,
}
