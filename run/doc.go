// Package run carries out a plan, step by step of its outline: it reads the
// engine's sensors until they hold still, has the engine bring the model up,
// sends the requests of each block while the sensors are read, and has the model
// taken away. What happens goes to a Recorder, entry by entry as it happens;
// whoever wants to watch reads the entries too.
//
//	reason, err := run.Execute(ctx, run.Config{
//		Plan: plan, Engines: engines, Session: 1, Recorder: journal, Clock: clock,
//	})
//
// A model that cannot be brought up is recorded with its reason, and the run goes
// on with the next step. An engine that goes away is waited for; one that stays
// away costs the rest of the block. An interrupt ends the requests under way,
// takes away what was loaded and writes the end. Only a recorder that fails,
// since nothing measured after that would be kept, or a request that cannot be
// paced makes a run fail.
//
// With a Past, by the entries of earlier sessions, Execute does only what these
// left: see resume.go.
//
// The package computes no statistic and knows no engine.
package run
