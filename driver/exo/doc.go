// Package exo drives exo (the v1 line) through the life of a model: it finds
// the model's id, has exo place and load it, waits until it truly answers, sends
// it requests, and takes it away again.
//
//	engine, err := exo.Driver{}.Open(ctx, spec, env)
//	model, err := engine.Resolve(ctx, "llama-3.2-1b")
//	deployment, err := engine.Prepare(ctx, model, "", report)
//	defer engine.Release(ctx, deployment, report)
//
// An engine that speaks exo's API and is no exo is opened with [OpenAs].
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
