// Package terminal shows a run to the person who waits for it: a live picture
// where there is a terminal, plain lines where there is none, nothing where
// none is wanted.
//
//	view := terminal.Start(os.Stderr, terminal.Options{Engines: engines})
//	defer view.Close()
//	...
//	view.Show(progress)
//
// Showing must not disturb what is measured. [View.Show] folds the news into a
// few numbers and returns: it never writes, and never waits for who does. All
// drawing is done by a goroutine of the package, at most 5 times a second, and
// only of what changed.
//
// The package leaves the terminal alone otherwise: it reads no keys, sets no
// modes, handles no signals except for changes of size, and keeps the cursor
// visible, so that even a process killed on the spot leaves a usable terminal.
package terminal
