package exo

import (
	"context"
	"slices"

	"exobench"
	"exobench/resource"
)

// lives follows the processes of the instance that is measured, where all of exo
// runs on this host. A runner that exo starts again keeps its id, and exo's state
// says that one which was killed is well until exo finds out, some seconds later:
// only the process tells one from the other.
type lives struct {
	// most is how many processes the instance can have, its runners and what the
	// first load starts besides; 0 where its processes cannot be told from others.
	most int
	// known are the processes, nil until they have been seen at two looks: what exo
	// starts for a moment is none of them. fresh are those of the look before.
	known, fresh []resource.ProcessID
	// left are the processes of those that are known that outlived the one that
	// ended, and ended is set until what took its place was seen.
	left  []resource.ProcessID
	ended bool
	// at is when all known processes were seen to live last.
	at exobench.Instant
}

// endedText is what is wrong with an instance of which a process has ended.
const endedText = "a process of its runners had ended"

// follow takes in, at a look at the runners, what exo has started for the
// instance.
func (l *lives) follow(now []resource.ProcessID) {
	now = slices.DeleteFunc(slices.Clone(now), func(id resource.ProcessID) bool { return slices.Contains(l.left, id) })
	both := slices.DeleteFunc(slices.Clone(now), func(id resource.ProcessID) bool { return !slices.Contains(l.fresh, id) })
	l.fresh = now
	if l.ended = l.ended && len(now) == 0; len(both) > 0 && len(both) <= l.most {
		l.known, l.left = slices.Concat(l.left, both), nil
	}
}

// live reports whether all processes that are known still live.
func (l *lives) live(at exobench.Instant, started func(pid int) (uint64, bool)) bool {
	if l.known == nil {
		return true
	}
	lost := func(id resource.ProcessID) bool {
		since, lives := started(id.PID)
		return !lives || since != id.Started
	}
	if !slices.ContainsFunc(l.known, lost) {
		l.at = at
		return true
	}
	l.left = slices.DeleteFunc(l.known, lost)
	l.known, l.fresh, l.ended = nil, nil, true
	return false
}

// checkLives begins an outage where a process of the runners has ended since it
// was looked for last. It costs reading one small file for each process, so that
// every request can be judged by it.
func (w *watched) checkLives(at exobench.Instant, started func(pid int) (uint64, bool)) (began bool) {
	since := w.lives.at
	if w.lives.live(at, started) {
		return false
	}
	if n := len(w.outages); n > 0 && !w.outages[n-1].over {
		return false
	}
	w.outages = append(w.outages, outage{from: since, to: at, what: endedText})
	return true
}

// lookAtProcesses looks at the processes of the instance, and for those that are
// not known yet.
func (e *Engine) lookAtProcesses(ctx context.Context) (began bool) {
	w := &e.watched
	w.mu.Lock()
	began = w.checkLives(e.config.env.Clock.Now(), e.startedAt(ctx))
	search := w.lives.most > 0 && w.lives.known == nil
	w.mu.Unlock()
	if !search {
		return began
	}
	now := e.instanceProcesses(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lives.follow(now)
	w.lives.at = e.config.env.Clock.Now()
	return began
}

func (e *Engine) startedAt(ctx context.Context) func(pid int) (uint64, bool) {
	return func(pid int) (uint64, bool) { return e.config.started(ctx, pid) }
}

// instanceProcesses are the processes that exo has started since it was asked for
// the instance that is measured.
func (e *Engine) instanceProcesses(ctx context.Context) []resource.ProcessID {
	set := e.runnerProcesses(ctx, false)
	if set.earlier == nil {
		return nil
	}
	var all []resource.ProcessID
	for _, pid := range set.pids {
		if since, lives := e.config.started(ctx, pid); lives {
			all = append(all, resource.ProcessID{PID: pid, Started: since})
		}
	}
	return all
}

// processes are those of the instance that are known.
func (w *watched) processes() []resource.ProcessID {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Concat(w.lives.known, w.lives.left)
}

// observeOrphans takes note of processes of an instance that live on and are no
// longer exo's: one that is killed leaves its runners behind, with the model, and
// an exo that is started then knows nothing of them.
func (e *Engine) observeOrphans(ctx context.Context, known []resource.ProcessID) {
	if len(known) == 0 {
		return
	}
	_, children, _ := e.tree(ctx)
	for _, id := range known {
		if since, lives := e.config.started(ctx, id.PID); lives && since == id.Started && !slices.Contains(children, id.PID) {
			e.observe("process %d of its runners outlived the exo that had started it, with the model in its memory: end it, or what is measured next has less memory and CPU time", id.PID)
		}
	}
}
