// Package alarm wakes a goroutine at an instant, to some tens of microseconds:
// by a timerfd on Linux, where Go's own timers are rounded to a millisecond when
// the program is idle (the poller waits in whole milliseconds), and by a plain
// timer elsewhere. Instants are those of [Monotonic].
package alarm
