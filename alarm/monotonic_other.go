//go:build !unix

package alarm

import "time"

var started = time.Now()

// Monotonic returns nanoseconds since the start of the process. It means
// nothing in another one.
func Monotonic() int64 { return int64(time.Since(started)) + 1 }
