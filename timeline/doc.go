// Package timeline holds the readings of sensors in order of time: whatever
// they are of, and in whatever order they come.
//
// A [Set] has a [Line] for each thing that a sensor reads. A Line answers what
// was read at which moment; a [Curve] is one quantity of it, which can be
// integrated over time. Instants are those of one session: a Set is of one step,
// so that instants of two sessions never meet.
//
// The package does not know what a quantity means. It is not safe for
// concurrent use.
package timeline
