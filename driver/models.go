package driver

import (
	"fmt"
	"strings"

	"exobench"
	"exobench/catalogue"
	"exobench/nearest"
)

// FindModel looks a name up in the catalogue, or the id that exo has for a
// model.
func (e Env) FindModel(name string) (catalogue.Model, bool) {
	if m, ok := e.Catalogue.Find(name); ok {
		return m, true
	}
	return e.Catalogue.FindID("exo", name)
}

// UnknownModel is the error for a model that neither the catalogue nor the
// engine knows, with the names that it may have been meant as; near are those
// of the engine.
func (e Env) UnknownModel(name string, near ...string) error {
	var names []string
	for _, m := range e.Catalogue.Models() {
		names = append(names, m.Name)
	}
	near = append(nearest.Names(name, names), near...)
	if len(near) == 0 {
		return UsageError{fmt.Errorf("model %q is not known: the catalogue has %s", name, strings.Join(names, ", "))}
	}
	return UsageError{fmt.Errorf("model %q is not known: did you mean %s?", name, strings.Join(near[:min(3, len(near))], ", "))}
}

// List shows the first of a list of names.
func List(names []string) string {
	const most = 8
	switch {
	case len(names) == 0:
		return "none"
	case len(names) <= most:
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// Fit says whether a model of the offer's size fits into what is free; 0 means
// that this is unknown.
func (o *Offer) Fit(free exobench.Bytes) {
	o.Free = free
	switch {
	case o.Loaded != nil && *o.Loaded:
		o.Fits, o.Why = new(true), "loaded"
	case o.Size == 0 || free == 0:
		o.Fits, o.Why = nil, "unknown"
	default:
		o.Fits, o.Why = new(o.Size <= free), fmt.Sprintf("%v of %v free", o.Size, free)
	}
}

// Estimate reckons the size of a model with weights of four bits and their
// scales, as most downloads are.
func Estimate(m catalogue.Model) exobench.Bytes { return exobench.Bytes(m.Parameters * 9 / 16) }
