package exo

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"exobench"
)

// shortage is a model that exo's own figures of its nodes' memory show not to
// fit.
type shortage struct {
	size exobench.Bytes
	// nodes are how many may hold it; free and total are the memory of those with
	// the most.
	nodes       int
	free, total exobench.Bytes
	// each says how much there is on each node of exo, offered where exo would put
	// the model if the flags let it.
	each    []string
	offered []string
}

// forGood reports whether it would not fit if all memory were free.
func (s *shortage) forGood() bool { return s.size > s.total }

func (s *shortage) Error() string {
	what := "free"
	have := s.free
	if s.forGood() {
		what, have = "in all", s.total
	}
	text := fmt.Sprintf("it does not fit: its weights take %v, and exo has %v %s on %s (%s)",
		s.size, have, what, nodesText(s.nodes), strings.Join(s.each, "; "))
	if len(s.offered) > 0 {
		text += "; with another --max-nodes exo offers " + strings.Join(s.offered, ", ")
	}
	return text
}

// shortage returns what the model lacks where exo refuses it for want of memory
// and its figures bear that out; nil where they do not, or where they are not
// known.
func (e *Engine) shortage(ctx context.Context, model exobench.Model, previews []preview, offered []instance) *shortage {
	refused := func(p preview) bool { return strings.Contains(strings.ToLower(p.Error), "memory") }
	wider := func(i instance) bool { return len(i.nodes) > e.config.maxNodes }
	if !slices.ContainsFunc(previews, refused) && !slices.ContainsFunc(offered, wider) {
		return nil
	}
	cards, err := e.cards(ctx)
	if err != nil {
		return nil
	}
	card, _ := listed(cards, model.ID)
	memory, err := e.nodeMemory(ctx)
	if err != nil || card.size == 0 || len(memory) == 0 {
		return nil
	}
	s := &shortage{size: card.size, nodes: min(e.config.maxNodes, len(memory))}
	ids := slices.Sorted(maps.Keys(memory))
	for _, id := range ids {
		s.each = append(s.each, fmt.Sprintf("%s: %v of %v", e.nodeName(id), exobench.Bytes(memory[id].Available), exobench.Bytes(memory[id].Total)))
	}
	s.free = most(memory, s.nodes, func(m nodeMemory) size { return m.Available })
	s.total = most(memory, s.nodes, func(m nodeMemory) size { return m.Total })
	for _, one := range slices.DeleteFunc(slices.Clone(offered), func(i instance) bool { return !wider(i) }) {
		s.offered = append(s.offered, one.placement())
	}
	if s.size <= s.free {
		return nil
	}
	return s
}

// most sums the n greatest.
func most(memory map[string]nodeMemory, n int, of func(nodeMemory) size) (sum exobench.Bytes) {
	all := slices.SortedFunc(maps.Values(memory), func(a, b nodeMemory) int { return cmp.Compare(of(b), of(a)) })
	for _, m := range all[:n] {
		sum += exobench.Bytes(of(m))
	}
	return sum
}
