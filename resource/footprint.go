package resource

import (
	"context"
	"errors"

	"exobench"
)

// errHidden means that the system shows nothing of the root's memory.
var errHidden = errors.New("its memory cannot be seen, since it is another user's: run exobench as that user, or as root")

// footprints adds up what of returns for each process, the root first; of returns
// ErrGone for one that has ended and errHidden for one that may not be looked at.
//
// A footprint is what the system charges to a process: its dirty and compressed
// pages, swapped ones included, and what the GPU holds for it, since that is the
// same memory. Mapped weights that were only read are in the resident size, not in
// it. The peaks of several processes need not have been at one time, so their sum
// is no less than what the tree ever had.
func footprints(ctx context.Context, pids []int, of func(pid int) (rusageInfo, error)) (memory, error) {
	m := memory{footprint: new(exobench.Bytes), footprintPeak: new(exobench.Bytes)}
	for i, pid := range pids {
		if err := ctx.Err(); err != nil {
			return memory{}, err
		}
		one, err := of(pid)
		if i > 0 && (errors.Is(err, ErrGone) || errors.Is(err, errHidden)) {
			continue
		}
		if err != nil {
			return memory{}, err
		}
		m.processes++
		m.rss += exobench.Bytes(one.ResidentSize)
		*m.footprint += exobench.Bytes(one.PhysFootprint)
		*m.footprintPeak += exobench.Bytes(max(one.PhysFootprint, one.LifetimeMaxFootprint))
	}
	return m, nil
}
