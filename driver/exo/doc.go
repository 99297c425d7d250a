// Package exo drives exo (the v1 line) through the life of a model: it finds
// the model's id, has exo place and load it, waits until it truly answers, and
// takes it away again. It also builds the body of a chat request. It does not
// send chat requests: timing is the business of the package that reads streams.
//
//	target, err := exo.Dial(ctx, exo.Config{Clock: clock})
//	model, err := target.Resolve(ctx, "llama-3.2-1b", catalogueIDs)
//	deployment, err := target.Prepare(ctx, model, journal.LoadEvent)
//	defer target.Release(ctx, deployment, journal.LoadEvent)
//
// # What exo does that shapes this package
//
// Creating an instance only enqueues a command, so everything after it is
// watched: the instance (which exo itself removes when a runner keeps
// failing), its runners, the downloads (a failed download leaves its runner
// idle forever) and the nodes. A placement preview's own label can be false,
// so what a placement is comes from the instance inside it. Sub-paths of
// /state are read rather than /state, which holds the prompts of running tasks
// and a download entry for every model that exo knows.
//
// An instance that Prepare created never outlives an error of Prepare, a
// cancelled context included. Instances of other models are never touched.
package exo
