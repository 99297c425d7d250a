// Package history says where the figures of one machine and plan changed over time,
// and what else changed there.
//
// A [Run] is what is kept of a run's summary: one median for each cell and metric,
// and what the run was of and made with. [Look] sorts runs into groups that can be
// set beside each other, by what package compare says forbids a comparison, makes a
// series of each cell and metric in order of time, and has package stat find where
// its level changes. A change carries what differs between the last run before it
// and the first one after.
//
// A run counts as one figure, however many requests it had: what differs between
// two runs of the same thing is more than their requests show. It is a function of
// journals: the same give the same result.
package history
