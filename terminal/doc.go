// Package terminal shows a run to the person who waits for it: a live picture
// where there is a terminal, plain lines where there is none, nothing where
// none is wanted.
//
//	view := terminal.Start(os.Stderr, terminal.Options{Now: clock.Now})
//	defer view.Close()
//	...
//	view.Append(entry) // each entry of the journal, the header first
//
// Showing must not disturb what is measured. [View.Append] takes an entry in
// and returns: it never writes, and never waits for who does. All drawing is
// done by a goroutine of the package, at most 5 times a second, and only of
// what changed.
//
// The package leaves the terminal alone otherwise: it reads no keys, sets no
// modes, handles no signals except for changes of size, and keeps the cursor
// visible, so that even a process killed on the spot leaves a usable terminal.
// Who else has something to say meanwhile says it with [View.Say].
package terminal
