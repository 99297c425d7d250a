package exo

import (
	"context"
	"fmt"
	"slices"

	"exobench/driver/api"
)

// runnerSet are processes among which runners on this host are.
type runnerSet struct {
	// known is set where all of exo runs on this host and its processes are seen.
	known bool
	pid   int
	// earlier are not among them: they were there before.
	earlier map[int]bool
	pids    []int
}

// tree returns the processes that exo's has started, where all of it runs on this
// host.
func (e *Engine) tree(ctx context.Context) (pid int, started []int, ok bool) {
	if e.config.identity.PID != 0 {
		return 0, nil, false // its instances have no processes of their own
	}
	pid, err := e.listener(ctx)
	if err == nil && e.local() {
		started, err = e.config.children(ctx, pid)
		return pid, started, err == nil
	}
	return 0, nil, false
}

// noteProcesses takes note of what exo has started before it is asked for an
// instance: what comes later is the instance's.
func (e *Engine) noteProcesses(ctx context.Context) {
	_, started, ok := e.tree(ctx)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.earlier = nil
	if ok {
		e.earlier = map[int]bool{}
		for _, pid := range started {
			e.earlier[pid] = true
		}
	}
}

// runnerProcesses returns the processes that an instance which is about to be
// removed may have. Of a foreign one they may be any.
func (e *Engine) runnerProcesses(ctx context.Context, foreign bool) runnerSet {
	pid, started, ok := e.tree(ctx)
	if !ok {
		return runnerSet{}
	}
	set := runnerSet{known: true, pid: pid}
	e.mu.Lock()
	if !foreign {
		set.earlier = e.earlier
	}
	e.mu.Unlock()
	set.pids = set.fresh(started)
	return set
}

// fresh are those of the processes that are not earlier.
func (s runnerSet) fresh(pids []int) []int {
	return slices.DeleteFunc(slices.Clone(pids), func(pid int) bool { return s.earlier[pid] })
}

// awaitProcessesGone waits until as many of the processes as the instance had
// runners have ended, or all of them: the first load also starts a process that
// stays. A runner holds its memory for seconds after exo's state has forgotten
// its instance, and one that was still starting is killed only then. It returns
// what is left, in words.
func (e *Engine) awaitProcessesGone(ctx context.Context, set runnerSet, runners int) []string {
	ctx, cancel := context.WithTimeout(ctx, e.config.pace.exit)
	defer cancel()
	for {
		now, err := e.config.children(ctx, set.pid)
		if err != nil {
			return nil // exo itself is gone
		}
		left := set.fresh(now)
		ended := 0
		for _, pid := range set.pids {
			if !slices.Contains(now, pid) {
				ended++
			}
		}
		started := len(left) - (len(set.pids) - ended)
		if len(left) == 0 || ended >= runners && started <= 0 {
			return nil
		}
		if api.Pause(ctx, e.config.pace.poll) != nil {
			if ctx.Err() != nil && len(left) > 0 {
				return []string{fmt.Sprintf("%d of its processes, %v", len(left), left)}
			}
			return nil
		}
	}
}
