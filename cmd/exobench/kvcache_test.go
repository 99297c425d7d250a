package main

import (
	"testing"

	"exobench"
	"exobench/catalogue"
	"exobench/driver"
)

// Llama 3.2 1B: 16 layers × 8 heads × 64 × 2 × 2 bytes = 32 KiB.
func TestTheCacheOfATokenIsThatOfTheShape(t *testing.T) {
	models, err := catalogue.Load("")
	if err != nil {
		t.Fatal(err)
	}
	env := driver.Env{Catalogue: models}
	for driverName, want := range map[string]exobench.KVCache{
		"exo":      {Model: "llama-3.2-1b", PerToken: 32 << 10},
		"llamacpp": {Model: "llama-3.2-1b", PerToken: 32 << 10, AtLoad: true},
		"embedded": {Model: "llama-3.2-1b", PerToken: 2304}, // of the stand-in, in 32 bits
	} {
		got := kvCaches(exobench.Engine{Driver: driverName, Models: []exobench.Model{{Name: "llama-3.2-1b"}, {Name: "somebody/elses"}}}, env)
		if len(got) != 1 || got[0] != want {
			t.Errorf("%s: %+v, want %+v", driverName, got, want)
		}
	}
}
