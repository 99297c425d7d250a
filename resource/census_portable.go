//go:build !linux

package resource

import (
	"context"

	"exobench"
)

// census lists the processes of a tree, each time anew.
type census struct{}

func newCensus() *census { return new(census) }

func (*census) list(ctx context.Context, t Tree) ([]int, error) { return listTree(ctx, t) }

func (*census) read(ctx context.Context, t Tree) (exobench.Values, error) { return t.Read(ctx) }
