package wire

import "runtime"

// Answers are parsed after their streams end, while other streams go on. When
// many end together, what has to be read must not wait for all their parses: no
// more than half of the cores parse at a time, and whoever does lets others run
// every few lines. A read that comes too late shares its stamp with the next.

// parsing holds the turns that are taken.
var parsing = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))

// linesAtOnce is how many lines are parsed before others may run: some 10 µs.
const linesAtOnce = 32

// takeTurn waits for a turn to parse.
func takeTurn() { parsing <- struct{}{} }

// giveTurn ends it.
func giveTurn() { <-parsing }
