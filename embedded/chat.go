package embedded

import (
	"net/http"
	"slices"
	"strings"
)

// Defaults of a request that does not say, as in exo.
const (
	defaultTemperature = 0.7
	defaultSeed        = 42
	defaultMaxTokens   = 32168
)

type message struct {
	role    string
	content string
}

// chat is a completion request: the fields that have an effect.
type chat struct {
	model       string
	messages    []message
	stream      bool
	bench       bool
	prefixCache bool // asked for; there is none
	maxTokens   *int
	temperature *float64
	seed        *int
	stop        []string
}

var roles = []string{"system", "user", "assistant", "developer", "tool", "function"}

// parseChat reads a request. Keys that exo does not know are ignored, as there.
func parseChat(f fields, bench bool) *chat {
	c := &chat{
		model:       f.text("model", true),
		bench:       bench,
		stream:      f.flag("stream"),
		maxTokens:   f.integer("max_tokens"),
		temperature: f.number("temperature"),
		seed:        f.integer("seed"),
	}
	if bench {
		c.prefixCache = f.flag("use_prefix_cache")
	}
	for _, name := range []string{"top_p", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty"} {
		f.number(name)
	}
	f.integer("top_k")
	c.stop = stopStrings(f)
	raw, ok := f.value("messages", true)
	if !ok {
		return c
	}
	list, ok := raw.([]any)
	if !ok {
		f.note("list_type", f.at("messages"), "Input should be a valid list", raw)
	}
	for i, v := range list {
		c.messages = append(c.messages, parseMessage(v, fields{loc: f.at("messages", i), problems: f.problems}))
	}
	return c
}

func parseMessage(v any, f fields) message {
	object, ok := v.(map[string]any)
	if !ok {
		f.note("model_attributes_type", f.loc, "Input should be a valid dictionary or object to extract fields from", v)
		return message{}
	}
	f.object = object
	var m message
	if raw, ok := f.value("role", true); ok {
		m.role, _ = raw.(string)
		if !slices.Contains(roles, m.role) {
			f.notOneOf("literal_error", f.at("role"), raw, roles)
		}
	}
	raw, _ := f.value("content", false)
	switch content := raw.(type) {
	case nil:
	case string:
		m.content = content
	case map[string]any:
		m.content, _ = content["text"].(string)
	case []any:
		m.content = joinParts(content)
	default:
		f.note("string_type", f.at("content", "str"), "Input should be a valid string", raw)
	}
	return m
}

func joinParts(parts []any) string {
	var texts []string
	for _, p := range parts {
		if part, ok := p.(map[string]any); ok {
			if text, ok := part["text"].(string); ok {
				texts = append(texts, text)
			}
		}
	}
	return strings.Join(texts, "\n")
}

func stopStrings(f fields) []string {
	raw, ok := f.value("stop", false)
	if !ok {
		return nil
	}
	switch stop := raw.(type) {
	case string:
		return []string{stop}
	case []any:
		var all []string
		for i, v := range stop {
			s, ok := v.(string)
			if !ok {
				f.note("string_type", f.at("stop", "list[str]", i), "Input should be a valid string", v)
			}
			all = append(all, s)
		}
		return all
	}
	f.note("string_type", f.at("stop", "str"), "Input should be a valid string", raw)
	return nil
}

func (s *Server) chatCompletions(w http.ResponseWriter, r *http.Request)  { s.completion(w, r, false) }
func (s *Server) benchCompletions(w http.ResponseWriter, r *http.Request) { s.completion(w, r, true) }
