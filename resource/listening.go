package resource

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Started returns when a process started, as the system tells it; lives is false
// where it has ended.
func Started(ctx context.Context, pid int) (since uint64, lives bool) { return startOf(ctx, pid) }

// Listening follows the engine that listens at an address: where its process has
// ended, the one that listens then is found. Its methods may be called
// concurrently.
type Listening struct {
	address string
	// These are replaced in tests.
	look    func(ctx context.Context, hostport string) (Engine, error)
	startOf func(ctx context.Context, pid int) (started uint64, lives bool)

	mu     sync.Mutex // of what follows
	engine Engine
	err    error
	looked time.Time
}

// lookAgain is the time between two searches for an engine that has ended. A
// search that finds nobody reads the system's table of sockets; one that finds
// somebody reads, once, what files every process has open.
const lookAgain = 250 * time.Millisecond

// Listen looks for the engine that listens at hostport on this host.
func Listen(ctx context.Context, hostport string) *Listening {
	l := &Listening{address: hostport, look: FindEngine, startOf: startOf}
	l.search(ctx)
	return l
}

func (l *Listening) search(ctx context.Context) {
	l.engine, l.err = l.look(ctx, l.address)
	l.looked = time.Now()
}

// Engine returns the engine as it is now. The error wraps what [FindEngine]'s do,
// or [ErrGone].
func (l *Listening) Engine(ctx context.Context) (Engine, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil && l.lives(ctx) {
		return l.engine, nil
	}
	if time.Since(l.looked) < lookAgain {
		if l.err != nil {
			return Engine{}, l.err
		}
		return Engine{}, fmt.Errorf("process %d: %w", l.engine.Listeners[0].PID, ErrGone)
	}
	l.search(ctx)
	return l.engine, l.err
}

// lives reports whether the processes that listen are the ones that were found.
func (l *Listening) lives(ctx context.Context) bool {
	return !slices.ContainsFunc(l.engine.Listeners, func(id ProcessID) bool {
		started, lives := l.startOf(ctx, id.PID)
		return !lives || started != id.Started
	})
}

// PID returns the root of the engine's processes as it was found last; 0 and why
// where none was.
func (l *Listening) PID() (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.engine.Tree.PID, l.err
}

// Notices say what is counted as the engine's memory; see [Engine.Notices].
func (l *Listening) Notices() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return []string{fmt.Sprintf("the engine's memory is not measured: %v", l.err)}
	}
	return l.engine.Notices()
}
