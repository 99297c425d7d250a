package embedded

import (
	"fmt"
	"math"
	"slices"
	"time"

	"exobench/embedded/decoder"
)

const (
	// chunkTokens is the most prompt tokens in one pass. It bounds how long a
	// new prompt holds up the other streams; larger chunks are no faster.
	chunkTokens = 32

	// progressEvery is the number of prompt tokens after which progress is
	// told, as in exo.
	progressEvery = 4096
)

// serve runs the streams together: each pass takes one token of every stream
// that generates and one chunk of the oldest prompt that is not yet through.
func (r *runner) serve() {
	ready := tagged{"RunnerReady", map[string]any{"prefillServerPort": nil}}
	r.status(ready.tag, ready.value)
	busy := false
	for !r.isStopped() {
		r.admit()
		if now := len(r.active) > 0; now != busy {
			busy = now
			if busy {
				r.status("RunnerRunning", empty{})
			} else {
				r.status(ready.tag, ready.value)
			}
		}
		if busy {
			r.step()
			continue
		}
		select {
		case <-r.wake:
		case <-r.stopped:
		}
	}
}

// admit drops canceled tasks and moves waiting ones into free places.
func (r *runner) admit() {
	r.active = slices.DeleteFunc(r.active, func(t *task) bool {
		gone := t.canceled()
		if gone {
			r.release(t)
		}
		return gone
	})
	for len(r.active) < r.server.config.maxConcurrent() {
		t := r.nextWaiting()
		if t == nil {
			return
		}
		if err := r.begin(t); err != nil {
			t.send(event{failure: err.Error()})
			r.release(t)
			continue
		}
		r.active = append(r.active, t)
	}
}

// nextWaiting takes the oldest task that still has a client.
func (r *runner) nextWaiting() *task {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.waiting) > 0 {
		t := r.waiting[0]
		r.waiting = slices.Delete(r.waiting, 0, 1)
		if !t.canceled() {
			return t
		}
		r.load--
	}
	return nil
}

// begin prepares a task to run.
func (r *runner) begin(t *task) error {
	t.prompt = r.tokens.prompt(t.chat.Messages)
	room := r.model.Shape.Context - len(t.prompt)
	if room < 1 {
		return fmt.Errorf("prompt of %d tokens leaves no room in a context of %d", len(t.prompt), r.model.Shape.Context)
	}
	t.maxTokens = defaultMaxTokens
	if t.chat.MaxTokens > 0 {
		t.maxTokens = t.chat.MaxTokens
	}
	t.maxTokens = min(t.maxTokens, room)
	t.seq = r.decoder.NewSequence()
	t.logits = make([]float32, r.model.Shape.Vocab)
	return nil
}

// step runs one pass and hands out what came of it.
func (r *runner) step() {
	r.batch, r.members = r.batch[:0], r.members[:0]
	prefilling := false
	for _, t := range r.active {
		in := decoder.Input{Sequence: t.seq, Tokens: t.next[:], Logits: t.logits}
		if t.fed < len(t.prompt) {
			if prefilling {
				continue
			}
			prefilling = true
			in = r.chunk(t)
		}
		r.batch = append(r.batch, in)
		r.members = append(r.members, t)
	}
	r.forward(r.batch)
	now := time.Now()
	for i, t := range r.members {
		if t.fed < len(t.prompt) && !r.advance(t, len(r.batch[i].Tokens), now) {
			continue
		}
		if r.emit(t, now) {
			r.active = slices.DeleteFunc(r.active, func(other *task) bool { return other == t })
			r.release(t)
		}
	}
}

// chunk returns the next part of a prompt. Logits are wanted after its last
// token only.
func (r *runner) chunk(t *task) decoder.Input {
	if t.fed == 0 {
		t.prefillFrom = time.Now()
		r.tell(t, 0)
	}
	end := min(t.fed+chunkTokens, len(t.prompt))
	in := decoder.Input{Sequence: t.seq, Tokens: t.prompt[t.fed:end]}
	if end == len(t.prompt) {
		in.Logits = t.logits
	}
	return in
}

// advance notes a chunk that has been fed, and reports whether the prompt is
// through.
func (r *runner) advance(t *task, n int, now time.Time) bool {
	before := t.fed
	t.fed += n
	if t.fed < len(t.prompt) {
		if before/progressEvery != t.fed/progressEvery {
			r.tell(t, t.fed)
		}
		return false
	}
	t.prefillTo = now
	r.tell(t, len(t.prompt)-1)
	return true
}

// tell reports progress out of the length that exo counts, which leaves one
// token out.
func (r *runner) tell(t *task, processed int) {
	t.send(event{progress: &progress{t.chat.Model, processed, len(t.prompt) - 1}})
}

// emit samples a token and sends it, and reports whether it was the last.
func (r *runner) emit(t *task, now time.Time) bool {
	if t.chat.bench {
		t.logits[endText] = float32(math.Inf(-1))
	}
	token := t.sampler.Pick(t.logits)
	t.next[0] = token
	t.generated++
	if t.generated == 1 {
		t.firstToken = now
	}
	t.lastToken = now

	text, stopped := "", token == endText
	if !stopped {
		text, stopped = t.stopper.feed(r.tokens.text(token))
	}
	e, reason := event{text: text}, ""
	switch {
	case stopped:
		reason = "stop"
	case t.generated == t.maxTokens:
		reason = "length"
	}
	if reason != "" {
		e.ending = t.finish(reason, r.decoder.PeakBytes())
	}
	t.send(e)
	return reason != ""
}

// release takes a task out of the runner's books.
func (r *runner) release(t *task) {
	if t.seq != nil {
		t.seq.Release()
		t.seq = nil
	}
	t.logits = nil
	r.mu.Lock()
	r.load--
	r.mu.Unlock()
}
