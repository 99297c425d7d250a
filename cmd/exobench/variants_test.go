package main

import (
	"testing"

	"exobench"
)

// An address that a plan could not keep is no longer wanted where a variant has its
// own.
func TestAVariantsAddressTakesThePlaceOfOneThatWasHidden(t *testing.T) {
	base := exobench.EngineSpec{Name: "llamacpp", URL: "http://host:1", URLSecret: true}
	for text, want := range map[string]bool{"a=--url http://other:2": false, "a=": true} {
		if got, err := variantOf(base, text); err != nil || got.URLSecret != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}
