package openai

import (
	"slices"
	"strings"

	"exobench"
	"exobench/driver/api"
)

// optional are the fields of a request that not every server takes. What costs a
// measurement least comes first; the limit of the length is never left out on
// the server's account, but is sent by its newer name.
var optional = []string{api.IgnoreEOS, api.Seed, api.StreamUsage, api.Temperature, api.MaxTokens}

// form is how requests are written for a server.
type form struct {
	// given are the fields that the user leaves out, refused those that the
	// server did not take. A form is not changed once it is in use.
	given, refused []string
}

// sends reports whether requests have the field, by the name that the server was
// first asked with.
func (f form) sends(field string) bool {
	return !slices.Contains(f.given, field) && !slices.Contains(f.refused, field)
}

// without returns the form with one field more, or less, that is refused.
func (f form) without(field string) form {
	return form{given: f.given, refused: append(slices.Clone(f.refused), field)}
}

func (f form) with(field string) form {
	return form{given: f.given, refused: slices.DeleteFunc(slices.Clone(f.refused), func(have string) bool { return have == field })}
}

// String says what is refused, for people; empty where nothing is.
func (f form) String() string {
	var out []string
	instead := ""
	for _, field := range f.refused {
		if field == api.MaxTokens {
			instead = "say " + api.MaxCompletion + " in place of " + api.MaxTokens
		} else {
			out = append(out, field)
		}
	}
	switch {
	case len(out) == 0:
		return instead
	case instead == "":
		return "go without " + strings.Join(out, ", ")
	}
	return "go without " + strings.Join(out, ", ") + ", and " + instead
}

// completion is the body of a request.
func completion(m exobench.Model, r exobench.Request, f form) api.Completion {
	c := api.Complete(m.ID, r)
	if r.IgnoreEOS {
		c.IgnoreEOS = new(true)
	}
	limit := c.MaxTokens
	c.LeaveOut(f.given...)
	if c.MaxTokens != nil && slices.Contains(f.refused, api.MaxTokens) {
		c.MaxTokens, c.MaxCompletionTokens = nil, limit
	}
	for _, field := range f.refused {
		if field != api.MaxTokens {
			c.LeaveOut(field)
		}
	}
	return c
}
