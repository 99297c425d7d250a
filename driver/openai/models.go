package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"exobench"
	"exobench/driver"
	"exobench/driver/api"
)

// models is what the server tells of its models. It is a hint: servers take
// names that they do not list, and many list nothing.
type models struct {
	ids []string
	// missing says why there is no list; empty where there is one.
	missing string
}

// list asks for the server's models below each of the places where the API may
// be, and returns the first list and its place. Without one, the likeliest place
// is returned; an error is for a server that does not answer as one of this kind.
// A server that asks to be waited for is where there is somebody to tell.
func list(ctx context.Context, c *api.Client, tell func(string)) (models, string, error) {
	likeliest := c.Roots()[0]
	var first api.Answer
	look := func() (err error) {
		if first, err = c.Send(ctx, http.MethodGet, likeliest+"/models", nil); err != nil {
			return err
		}
		return c.Refusal(http.MethodGet, likeliest+"/models", first)
	}
	var err error
	if tell != nil {
		err = patiently(ctx, tell, look)
	} else {
		err = look()
	}
	if m, ok := parseModels(first); err == nil && ok {
		return m, likeliest, nil
	}
	if err != nil && !mayLackList(api.Status(err)) {
		return models{}, "", err
	}
	for _, root := range c.Roots()[1:] {
		answer, err := c.Send(ctx, http.MethodGet, root+"/models", nil)
		if m, ok := parseModels(answer); err == nil && ok {
			return m, root, nil
		}
	}
	if isPage(first) {
		return models{}, "", fmt.Errorf("%s%s/models does not answer with a list of models but with a web page: is an OpenAI-compatible server there?", c.Base(), likeliest)
	}
	missing := "what answers is no list"
	if first.Status/100 != 2 {
		missing = fmt.Sprintf("HTTP %d: %s", first.Status, api.Problem(first.Status, first.Body))
	}
	return models{missing: missing}, likeliest, nil
}

// mayLackList reports whether a server that answers the question for its models
// with the status may answer chats all the same.
func mayLackList(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusProxyAuthRequired, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return false
	}
	return status >= 400
}

func isPage(a api.Answer) bool {
	return a.Status/100 == 2 && bytes.HasPrefix(bytes.TrimSpace(a.Body), []byte("<"))
}

// parseModels reads a list of models in any of the shapes that servers have for
// it: {"data":[…]}, {"models":[…]} or the bare array, of ids or of objects with
// one. A null is an empty list.
func parseModels(a api.Answer) (models, bool) {
	decoder := json.NewDecoder(bytes.NewReader(a.Body))
	decoder.UseNumber()
	var all any
	if a.Status/100 != 2 || decoder.Decode(&all) != nil {
		return models{}, false
	}
	if object, ok := all.(map[string]any); ok {
		inner, found := object["data"]
		if !found {
			inner, found = object["models"]
		}
		if !found {
			return models{}, false
		}
		if all = inner; all == nil {
			return models{}, true
		}
	}
	entries, ok := all.([]any)
	if !ok {
		return models{}, false
	}
	var m models
	seen := map[string]bool{}
	for _, entry := range entries {
		if id := idOf(entry); id != "" && len(id) <= longestID && !seen[id] {
			seen[id] = true
			m.ids = append(m.ids, id)
		}
	}
	return m, len(entries) == 0 || len(m.ids) > 0
}

// longestID is the longest id in bytes that is taken for one: a path of a file is
// one with some servers.
const longestID = 4096

// idOf returns the id of one entry of a list; empty where it has none.
func idOf(entry any) string {
	object, ok := entry.(map[string]any)
	if !ok {
		return text(entry)
	}
	for _, member := range []string{"id", "model", "name", "key"} {
		if id := text(object[member]); id != "" {
			return id
		}
	}
	return ""
}

// text returns a string or number as text.
func text(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	}
	return ""
}

// find returns the server's id that is the name, or else one that differs from
// it in case.
func (m models) find(name string) (string, bool) {
	if slices.Contains(m.ids, name) {
		return name, true
	}
	i := slices.IndexFunc(m.ids, func(id string) bool { return strings.EqualFold(id, name) })
	if i < 0 {
		return "", false
	}
	return m.ids[i], true
}

// pattern returns the entry of the list that stands for many names, as gateways
// have them ("*", "openai/*"), and for this one among them.
func (m models) pattern(name string) (string, bool) {
	i := slices.IndexFunc(m.ids, func(id string) bool {
		before, after, wild := strings.Cut(id, "*")
		return wild && len(name) >= len(before)+len(after) && strings.HasPrefix(name, before) && strings.HasSuffix(name, after)
	})
	if i < 0 {
		return "", false
	}
	return m.ids[i], true
}

// Resolve returns the model of that id, or the first of the ids that the
// catalogue has for it and the server too. Where the server's list does not tell
// which models it has, the name is taken as it is.
func (e *engine) Resolve(_ context.Context, name string) (exobench.Model, error) {
	known, ok := e.env.FindModel(name)
	if !ok {
		known.Name = name
	}
	for _, id := range append([]string{name}, known.IDs["openai"]...) {
		if have, ok := e.models.find(id); ok {
			return exobench.Model{Name: known.Name, ID: have}, nil
		}
	}
	for _, id := range append([]string{name}, known.IDs["openai"]...) {
		if pattern, ok := e.models.pattern(id); ok {
			e.note(fmt.Sprintf("%s is taken as it was given: the server's list of models has %s, which names none", id, pattern))
			return exobench.Model{Name: known.Name, ID: id}, nil
		}
	}
	switch {
	case e.models.missing != "":
		e.note(fmt.Sprintf("%s is taken as it was given: the server has no list of models (%s)", name, e.models.missing))
		return exobench.Model{Name: known.Name, ID: name}, nil
	case len(e.models.ids) == 0:
		return exobench.Model{}, driver.UsageError{Err: fmt.Errorf("%s has no model %q: it has no model", e.client.Base(), name)}
	}
	return exobench.Model{}, driver.UsageError{Err: fmt.Errorf("%s has no model %q: it has %s", e.client.Base(), name, driver.List(e.models.ids))}
}

// errNoList is for those who ask which models there are.
var errNoList = errors.New("the server has no list of models")

// offers are the server's models, by the catalogue's names for them.
func (e *engine) offers() []driver.Offer {
	var offers []driver.Offer
	for _, id := range e.models.ids {
		name := id
		if m, ok := e.env.Catalogue.FindID("openai", id); ok {
			name = m.Name
		} else if m, ok := e.env.FindModel(id); ok {
			name = m.Name
		}
		o := driver.Offer{Model: name, Engine: "openai", ID: id, Downloaded: new(true)}
		o.Fit(0)
		offers = append(offers, o)
	}
	return offers
}
