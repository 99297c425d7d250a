package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"exobench/driver/api"
)

// refusal is a server's no to the form of a request.
type refusal struct {
	// text is what the server said, in one line.
	text string
	// named are the optional fields that it speaks of.
	named []string
	// open is set where it may be any field, since the server names none.
	open bool
}

// names are the words by which servers speak of the optional fields: their own
// members may have other names.
var names = map[string]*regexp.Regexp{
	api.IgnoreEOS:   regexp.MustCompile(`(?i)\b(?:ignore_eos|ignoreEos)\b`),
	api.Seed:        regexp.MustCompile(`(?i)\b(?:random_)?seed\b`),
	api.StreamUsage: regexp.MustCompile(`(?i)\b(?:stream_options|streamOptions|include_usage)\b`),
	api.Temperature: regexp.MustCompile(`(?i)\btemperature\b`),
	api.MaxTokens:   regexp.MustCompile(`(?i)\b(?:max_tokens|maxTokens|max_new_tokens|max_output_tokens|max_completion_tokens)\b`),
}

// named returns the optional fields that a text speaks of. The model's id may
// sound like one.
func named(text, model string) []string {
	text = regexp.MustCompile(`\b`+regexp.QuoteMeta(model)+`\b`).ReplaceAllString(text, "")
	return slices.DeleteFunc(slices.Clone(optional), func(field string) bool { return !names[field].MatchString(text) })
}

// refusalOf reads an answer that is no success as a refusal of the request's
// form; it is nil for one that says something else. Any text of a 400 or 422
// will do; of other statuses, gateways among them that pass on what a server
// said, only one that speaks of a field.
func refusalOf(status int, body []byte, model string) *refusal {
	r := &refusal{text: api.Problem(status, body), named: named(words(body), model)}
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		r.open = len(r.named) == 0
		return r
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooManyRequests,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return nil
	}
	if status < 400 || len(r.named) == 0 {
		return nil
	}
	return r
}

// words returns all that a server says in an error, where that is JSON without
// the request that some repeat in it.
func words(body []byte) string {
	var value any
	if json.Unmarshal(body, &value) != nil {
		return string(body)
	}
	var all []string
	var collect func(any)
	collect = func(value any) {
		switch value := value.(type) {
		case string:
			all = append(all, value)
		case []any:
			for _, element := range value {
				collect(element)
			}
		case map[string]any:
			for name, member := range value {
				if name != "input" && name != "request" && name != "body" {
					collect(member)
				}
			}
		}
	}
	collect(value)
	return strings.Join(all, "\n")
}

// event is what a part of an answer says of the request.
type event struct {
	// fault is the server's text where it is an error, and body all of it.
	fault string
	body  []byte
	// begun is set by the first choice.
	begun bool
}

// refusal returns what an error in an answer refuses, or the error itself where
// it speaks of no field; neither where it is none.
func (e event) refusal(model string) (*refusal, error) {
	if e.fault == "" {
		return nil, nil
	}
	r := &refusal{text: e.fault, named: named(words(e.body), model)}
	if len(r.named) == 0 {
		return nil, errors.New(e.fault)
	}
	return r, nil
}

// read reads one line of a stream. It returns false for one that is none of a
// stream.
func read(line []byte) (event, bool) {
	line = bytes.TrimSpace(line)
	field, value, ok := bytes.Cut(line, []byte(":"))
	switch {
	case len(line) == 0:
		return event{}, true
	case !ok:
		return event{}, false
	}
	switch string(field) {
	case "error":
		value = bytes.TrimSpace(value)
		return event{fault: api.Problem(http.StatusOK, value), body: bytes.Clone(value)}, true
	case "data":
		return readJSON(bytes.TrimSpace(value)), true
	case "", "event", "id", "retry":
		return event{}, true
	}
	return event{}, false
}

// readPlain reads an answer that is no stream. A server that answers with
// anything else than an error will be told of when it is measured.
func readPlain(text []byte, model string) event {
	if e := readJSON(text); e.fault != "" {
		return e
	}
	if !json.Valid(text) && len(named(string(text), model)) > 0 {
		return event{fault: api.Problem(http.StatusOK, text), body: text}
	}
	return event{}
}

func readJSON(text []byte) event {
	var says struct {
		Object  string            `json:"object"`
		Type    string            `json:"type"`
		Error   json.RawMessage   `json:"error"`
		Code    json.RawMessage   `json:"error_code"`
		Choices []json.RawMessage `json:"choices"`
	}
	if json.Unmarshal(text, &says) != nil {
		return event{}
	}
	if says.Object == "error" || says.Type == "error" || filled(says.Error) || filled(says.Code) {
		return event{fault: api.Problem(http.StatusOK, text), body: bytes.Clone(text)}
	}
	return event{begun: len(says.Choices) > 0}
}

// filled reports whether a member has more in it than nothing.
func filled(raw json.RawMessage) bool {
	var value any
	if json.Unmarshal(raw, &value) != nil {
		return false
	}
	switch value := value.(type) {
	case nil:
		return false
	case bool:
		return value
	case float64:
		return value != 0
	case string:
		return value != ""
	case []any:
		return len(value) > 0
	case map[string]any:
		for name, member := range value {
			if number, ok := member.(float64); name != "code" || !ok || number != 0 {
				return true
			}
		}
		return false
	}
	return true
}
