// Package run carries out a plan: for each model in turn it reads the engine's
// memory, has the target load the model, warms up, drives the load of each cell
// while the memory is sampled, and has the target take the model away. What
// happens goes to a Recorder, entry by entry as it happens, and to whoever
// watches.
//
// A model that cannot be loaded is recorded with its reason, and the run goes
// on with the next. An interrupt ends the requests under way, takes away what
// was loaded and writes the end. Only a recorder that fails, since nothing
// measured after that would be kept, makes a run fail.
//
// The package computes no statistic and knows no engine.
package run
