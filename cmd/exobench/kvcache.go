package main

import (
	"exobench"
	"exobench/catalogue"
	"exobench/driver"
	"exobench/embedded/decoder"
)

// halfBytes is what a number of a cache takes on engines that were told nothing
// else: 16 bits.
const halfBytes = 2

// kvCaches says what a token of each model takes in an engine's cache, where the
// catalogue has the model's shape. llama.cpp, and so Ollama, sets the cache aside as
// it loads.
func kvCaches(e exobench.Engine, env driver.Env) []exobench.KVCache {
	var all []exobench.KVCache
	for _, m := range e.Models {
		known, ok := env.FindModel(m.Name)
		if !ok || known.Shape == nil {
			continue
		}
		size := known.Shape.KVBytes(halfBytes)
		if e.Driver == "embedded" {
			size = decoder.KVBytesPerToken(catalogue.StandIn(*known.Shape))
		}
		all = append(all, exobench.KVCache{
			Model: m.Name, PerToken: exobench.Bytes(size), AtLoad: e.Driver == "llamacpp" || e.Driver == "ollama",
		})
	}
	return all
}
