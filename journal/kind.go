package journal

import (
	"fmt"
	"reflect"

	"exobench"
)

// kind is one type of entry: what its lines are called, what they are decoded
// into, and whether they must be on the disk before the run goes on.
type kind struct {
	name string
	// entry returns a new, empty entry.
	entry func() exobench.Entry
	// milestone reports whether an entry must be on the disk before Append
	// returns.
	milestone func(exobench.Entry) bool
	// usual returns the entry of a line that is as a Writer makes it, in space of
	// the batch that is used again; else nil. It is nil itself for kinds that few
	// lines are of, which are left to encoding/json.
	usual func(*batch, []byte) exobench.Entry
}

// kinds are all types of entries, in the order in which the package doc lists
// them. A new type of entry is a row here and one there.
var kinds = []kind{
	{name: "header", entry: empty[exobench.Header], milestone: always},
	{name: "session", entry: empty[exobench.Session], milestone: never},
	{name: "step", entry: empty[exobench.Step], milestone: never},
	{name: "cell", entry: empty[exobench.Cell], milestone: never},
	{name: "block", entry: empty[exobench.Block], milestone: never},
	{name: "stage", entry: empty[exobench.StageEvent], milestone: upOrGone},
	{name: "request", entry: empty[exobench.Record], milestone: never, usual: (*batch).record},
	{name: "sample", entry: empty[exobench.Sample], milestone: never, usual: (*batch).sample},
	{name: "meter", entry: empty[exobench.Meter], milestone: never},
	{name: "block_end", entry: empty[exobench.BlockEnd], milestone: always},
	{name: "step_end", entry: empty[exobench.StepEnd], milestone: always},
	{name: "calibration", entry: empty[exobench.Calibration], milestone: never},
	{name: "ceiling", entry: empty[exobench.Ceiling], milestone: never},
	{name: "note", entry: empty[exobench.Note], milestone: never},
	{name: "end", entry: empty[exobench.End], milestone: always},
}

// empty returns a new entry of a type.
func empty[T any, P interface {
	*T
	exobench.Entry
}]() exobench.Entry {
	return P(new(T))
}

func always(exobench.Entry) bool { return true }
func never(exobench.Entry) bool  { return false }

// upOrGone reports whether a stage is one that the model has come to stay in.
func upOrGone(e exobench.Entry) bool {
	stage := e.(*exobench.StageEvent).Stage
	return stage == exobench.StageReady || stage == exobench.StageReleased
}

// The kinds by the names of their lines and by the types of their entries.
var (
	kindsByName = keyed(func(k *kind) string { return k.name })
	kindsByType = keyed(func(k *kind) reflect.Type { return reflect.TypeOf(k.entry()) })
)

func keyed[K comparable](key func(*kind) K) map[K]*kind {
	all := map[K]*kind{}
	for i := range kinds {
		all[key(&kinds[i])] = &kinds[i]
	}
	return all
}

// kindOf returns the kind of an entry.
func kindOf(e exobench.Entry) (*kind, error) {
	k, known := kindsByType[reflect.TypeOf(e)]
	if !known {
		return nil, fmt.Errorf("an entry of type %T has no name", e)
	}
	return k, nil
}
