// Package load paces the requests of one block: it asks a [Source] for each
// request and when it is due, and has a [Doer] send it. It knows nothing of
// models, wires or statistics.
//
// A closed loop of four workers, and an open loop of two requests a second with
// at most eight under way, both for a minute:
//
//	closed := &load.Loop{Request: next, Duration: time.Minute}
//	end, err := load.Run(ctx, doer, clock, closed, 4, keep)
//
//	open := &load.Loop{Request: next, Duration: time.Minute, Schedule: &load.Constant{Rate: 2}}
//	end, err = load.Run(ctx, doer, clock, open, 8, keep)
//
// In a closed loop a slow engine is asked less. An open loop goes on at its
// times whatever the engine does, so the engine's slowness cannot slow the load
// down and hide itself.
package load
