// Package peers computes, from the records of one cell, what other benchmarks
// would have reported of the same requests under their own definitions, so that
// figures can be set beside published ones without another run:
//
//	report, err := peers.Derive("vllm", cell, records)
//	...
//	err = report.Text(os.Stdout)
//
// [Tools] says which tools and versions it knows. Formulas are those of the
// versions named there; what a record cannot reproduce is said in a note, and a
// value that cannot be known is absent, where some tools print 0.
//
// These are other people's definitions: the benchmark's own are in package
// metric, and the two are never mixed in one table.
package peers
