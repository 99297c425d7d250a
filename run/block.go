package run

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"exobench"
	"exobench/load"
	"exobench/precision"
)

// block carries out one block: its requests, while the sensors are read. Where
// the engine was silent at the end of the block before, it is waited for first.
func (s *step) block(ctx context.Context, b exobench.Block) {
	s.awaitIdle(ctx)
	traffic, stop := s.offer(b)
	breaker := newBreaker(s, traffic.Open())
	if s.silent {
		breaker.await(ctx)
		if ctx.Err() != nil {
			return
		}
	}
	loop := s.loop(b, traffic, stop)
	requests, until, err := s.until(b, loop, traffic, stop)
	if err != nil {
		s.fail(err)
		return
	}
	b.At = s.Clock.Now()
	s.append(&b)
	endSampling := s.sample(ctx, b.ID)
	end, err := load.Run(ctx, &sender{s, breaker}, s.Clock, &source{requests, s, breaker}, workers(traffic), func(r exobench.Record) error {
		s.append(&r)
		if givenUp(r.Outcome) {
			s.working = s.deployment.PID
		}
		return s.failed()
	})
	if err != nil {
		s.fail(err)
	}
	repeats := 0
	if until != nil {
		repeats = until.Repeats()
		until.GiveUp()
	}
	s.silent = end == exobench.BlockNoAnswer
	if s.silent {
		s.giveUp(loop, breaker)
	}
	endSampling()
	s.append(&exobench.BlockEnd{At: s.Clock.Now(), Block: b.ID, Reason: end, Repeats: repeats})
	if s.Trim != nil {
		s.Trim()
	}
}

// offer returns the traffic of a block and when it ends. Warm-ups are sent one
// after the other.
func (s *step) offer(b exobench.Block) (exobench.Traffic, exobench.Stop) {
	if b.Warmup() {
		return exobench.Traffic{Concurrency: 1}, exobench.Stop{Requests: s.Plan.Warmups()}
	}
	cell := s.outline.Cell(b.Cell)
	return cell.Traffic, cell.Stop
}

// loop returns the source of a block's requests.
func (s *step) loop(b exobench.Block, traffic exobench.Traffic, stop exobench.Stop) *load.Loop {
	l := &load.Loop{
		Request:  newMaker(s, b).next,
		Count:    stop.Count(len(s.Plan.Workload.Prompts)),
		Duration: time.Duration(stop.Duration),
	}
	switch {
	case traffic.Open() && traffic.Arrival == exobench.Poisson:
		random := rand.New(rand.NewPCG(s.Plan.Seeds.Arrivals, uint64(b.Planned())))
		l.Schedule = &load.Poisson{Rate: traffic.Rate, Rand: random}
	case traffic.Open():
		l.Schedule = &load.Constant{Rate: traffic.Rate}
	}
	return l
}

// until returns the source of a block's requests: the loop, or where the plan wants
// medians to be known well, one that ends by that, until. Each load of a model is
// measured as well as is wanted, so that a block is the same whether others were cut
// short or not, and loads of variants alternate however long they take.
func (s *step) until(b exobench.Block, loop *load.Loop, traffic exobench.Traffic, stop exobench.Stop) (source load.Source, until *load.Until, err error) {
	if stop.Until == "" || b.Warmup() {
		return loop, nil, nil
	}
	prompts := len(s.Plan.Workload.Prompts)
	rule, err := precision.NewRule(stop, prompts, traffic.Open())
	if err != nil {
		return nil, nil, err
	}
	until = &load.Until{Loop: loop, Size: prompts, Least: stop.Repeat, Time: time.Duration(stop.MaxTime), Rule: rule}
	return until, until, nil
}

// workers is how many requests the traffic allows under way; 0 is no bound.
func workers(t exobench.Traffic) int {
	if t.Open() {
		return t.MaxUnderWay
	}
	return t.Concurrency
}

// giveUp records the requests that the block still owes as not sent.
func (s *step) giveUp(loop *load.Loop, b *breaker) {
	for loop.Count > 0 {
		r, _, end := loop.Next(s.Clock.Now())
		if end != "" {
			break
		}
		record := b.unsent()
		record.Seq, record.Block, record.PromptID, record.Repeat = r.Seq, r.Block, r.Prompt.ID, r.Repeat
		s.append(&record)
	}
	why, kept := b.state()
	s.note(fmt.Sprintf("%s, so the block ended early and %d of its requests were not sent", why, kept))
}

// source is one that also ends when the engine has stopped answering.
type source struct {
	load.Source
	step    *step
	breaker *breaker
}

func (s *source) Next(at exobench.Instant) (r exobench.Request, due exobench.Instant, end exobench.BlockEndReason) {
	end = exobench.BlockFailed // where it panics
	defer s.step.rescue()
	if s.breaker.isOpen() {
		return exobench.Request{}, 0, exobench.BlockNoAnswer
	}
	return s.Source.Next(at)
}

func (s *source) Ended(r *exobench.Record) {
	defer s.step.rescue()
	s.breaker.saw(r)
	s.Source.Ended(r)
}

// sender sends requests to the step's model, once the engine is there.
type sender struct {
	*step
	breaker *breaker
}

func (s *sender) Do(ctx context.Context, r exobench.Request) (record exobench.Record) {
	record = exobench.Record{Outcome: exobench.Canceled, Error: "exobench broke off"} // where it panics
	defer s.rescue()
	if !s.breaker.ready(ctx) {
		return s.breaker.unsent()
	}
	return s.engine.Do(ctx, s.deployment, r)
}
