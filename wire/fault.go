package wire

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"exobench"
)

// What in a stream is an error, and what is not as the protocol has it: the same
// for all dialects.

// fail notes that the request failed, by what the server says. The first error
// holds.
func (s *stream) fail(text string) { s.failure = cmp.Or(s.failure, text) }

// notJSON takes an event that encoding/json cannot read. Of one that was cut
// off, bad JSON says nothing but that.
func (s *stream) notJSON(text []byte, whole bool) {
	if s.malformed == "" && whole {
		var value json.RawMessage
		s.malformed = fmt.Sprintf("bad JSON in the stream (%v): %s", json.Unmarshal(text, &value), oneLine(text))
	}
}

// stray takes a line that is no field of an event stream. Some servers write
// their last words so.
func (s *stream) stray(line []byte) {
	if text := errorMessage(line); text != "" {
		s.lastWords = cmp.Or(s.lastWords, text)
	} else {
		s.trailing = oneLine(line)
	}
	s.met(exobench.UnknownFields, line)
}

// unknown takes an event that is nothing known.
func (s *stream) unknown(text []byte) {
	s.met(exobench.UnknownEvents, text)
	s.puzzle = oneLine(text)
}

// met counts a doubt of a kind that may be met often and keeps the first text.
func (s *stream) met(kind exobench.DoubtKind, text []byte) {
	d := s.doubt(kind)
	if d.Count++; d.Count == 1 {
		d.Text = oneLine(text)
	}
}

// absurd notes a figure that cannot be.
func (s *stream) absurd(name string, value exobench.Tokens) {
	s.met(exobench.AbsurdFigure, fmt.Appendf(nil, "%s %d", name, value))
}

// odd takes what a reader of values found that cannot be.
func (s *stream) odd(a *absurd) {
	if a.n > 0 {
		s.met(exobench.AbsurdFigure, fmt.Appendf(nil, "%s %s", a.name, a.raw))
		s.doubt(exobench.AbsurdFigure).Count += a.n - 1
	}
}

// doubt returns the record's doubt of the kind, a new one where there is none.
// It is valid until the next.
func (s *stream) doubt(kind exobench.DoubtKind) *exobench.Doubt { return doubtOf(s.record, kind) }

func doubtOf(r *exobench.Record, kind exobench.DoubtKind) *exobench.Doubt {
	for i := range r.Doubts {
		if r.Doubts[i].Kind == kind {
			return &r.Doubts[i]
		}
	}
	r.Doubts = append(r.Doubts, exobench.Doubt{Kind: kind})
	return &r.Doubts[len(r.Doubts)-1]
}

// failureText returns what an event says of a failure: "" where it says nothing
// of one.
func (e *event) failureText() string {
	if e.fault == nil && e.chat || e.members == 0 {
		return ""
	}
	said, fault := faultText(e.saying), faultText(e.fault)
	switch {
	case isNumber(e.fault) && fault != "" && said != "":
		return said + " (" + fault + ")"
	case fault != "":
		return fault
	case e.chat:
		return ""
	case namesFault(e.object), namesFault(e.kind), badStatus(e.status):
		return cmp.Or(said, faultText(e.detail), oneLine(e.text))
	}
	return faultText(e.detail)
}

// namesFault reports whether an event's type is that of an error.
func namesFault(name []byte) bool {
	lower := strings.ToLower(string(name))
	return strings.HasSuffix(lower, "error") || strings.HasSuffix(lower, "exception")
}

// badStatus reports whether a member for a status tells of a failure.
func badStatus(raw []byte) bool {
	if code, err := strconv.ParseFloat(string(raw), 64); err == nil {
		return code >= 400
	}
	lower := strings.Trim(strings.ToLower(string(raw)), `"`)
	return lower == "error" || lower == "false" || strings.HasPrefix(lower, "fail")
}

// isNothing reports whether a value is certainly no error: the usual empty ones,
// without a look inside.
func isNothing(raw []byte) bool {
	switch string(raw) {
	case "", "null", "false", "{}", "[]", `""`, "0":
		return true
	}
	return false
}

// faultText returns the text of an error's value, in whichever shape: "" for an
// empty one. Null, false, nothing, a code of 0 or 200 and words that say that all
// is well are no error.
func faultText(raw []byte) string {
	if isNothing(raw) {
		return ""
	}
	var value any
	if json.Unmarshal(raw, &value) != nil || !saysFault(value) {
		return ""
	}
	switch v := value.(type) {
	case float64:
		return "error code " + string(raw)
	case bool:
		return "an error without a text"
	case string:
		return oneLine([]byte(v))
	case []any:
		return cmp.Or(validationText(raw), oneLine(raw))
	case map[string]any:
		for _, key := range []string{"message", "msg", "detail", "error", "text", "description"} {
			if text, ok := v[key].(string); ok && saysFault(text) {
				return oneLine([]byte(text))
			}
		}
	}
	return oneLine(raw)
}

// saysFault reports whether anything in a value tells of a failure.
func saysFault(value any) bool {
	switch v := value.(type) {
	case bool:
		return v
	case float64:
		return v != 0 && v != 200
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "", "0", "200", "none", "null", "ok", "success", "no error", "false":
			return false
		}
		return true
	case []any:
		for _, one := range v {
			if saysFault(one) {
				return true
			}
		}
	case map[string]any:
		for _, one := range v {
			if saysFault(one) {
				return true
			}
		}
	}
	return false
}

// verdict is what a finish reason says.
type verdict int

const (
	wellEnded verdict = iota
	lengthEnded
	filtered
	failed
	unheardOf
)

// verdictOf returns what a finish reason says, in the words of any server.
func verdictOf(reason string) verdict {
	switch lower := strings.ToLower(reason); lower {
	case "stop", "eos", "eos_token", "end_turn", "stop_sequence", "stop_token", "stop_string", "tool_calls", "tool_use",
		"function_call", "done", "complete", "completed", "end", "finish", "finished", "load", "unload":
		return wellEnded
	case "length", "max_tokens", "max_output_tokens", "model_length", "max_length", "limit":
		return lengthEnded
	case "content_filter", "safety", "recitation", "blocklist", "prohibited_content", "spii", "refusal", "sensitive":
		return filtered
	default:
		for _, stem := range []string{"error", "abort", "cancel", "fail", "timeout", "timed_out", "interrupt", "overload", "insufficient", "unavailable", "killed"} {
			if strings.Contains(lower, stem) {
				return failed
			}
		}
		return unheardOf
	}
}
