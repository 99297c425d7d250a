package machine

import (
	"cmp"
	"fmt"
	"slices"

	"exobench"
)

// cpu adds the cores by kind, and whether their clocks may go up.
func (s Source) cpu(h *exobench.Host) {
	online := list(s.text("sys/devices/system/cpu/online"))
	h.CoresOnline = len(online)
	h.CoresPhysical = s.physical(online)
	h.CoreKinds = s.coreKinds(online)
	if off, ok := s.number("sys/devices/system/cpu/intel_pstate/no_turbo"); ok {
		h.Turbo = new(off == 0)
	} else if on, ok := s.number("sys/devices/system/cpu/cpufreq/boost"); ok {
		h.Turbo = new(on != 0)
	}
}

// physical counts cores of which each may have several threads; 0 where the
// system does not tell.
func (s Source) physical(threads []int) int {
	seen := map[string]bool{}
	for _, n := range threads {
		siblings := s.text(fmt.Sprintf("sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", n))
		if siblings == "" {
			return 0
		}
		seen[siblings] = true
	}
	return len(seen)
}

// coreKinds tells kinds of cores apart: by the names that the kernel has for those
// of a hybrid Intel processor, else by how much cores of other processors can do
// (cpu_capacity, 1024 for the fastest). It returns nil where all are of one kind.
func (s Source) coreKinds(online []int) []exobench.CoreKind {
	if p, e := list(s.text("sys/devices/cpu_core/cpus")), list(s.text("sys/devices/cpu_atom/cpus")); len(p) > 0 && len(e) > 0 {
		return []exobench.CoreKind{s.kind("performance", p), s.kind("efficiency", e)}
	}
	capacities := map[int]float64{}
	for _, n := range online {
		capacity, ok := s.number(fmt.Sprintf("sys/devices/system/cpu/cpu%d/cpu_capacity", n))
		if !ok {
			return nil
		}
		capacities[n] = capacity
	}
	kinds := apart(online, capacities)
	if len(kinds) < 2 {
		return nil
	}
	var all []exobench.CoreKind
	for i, threads := range kinds {
		name := "performance"
		switch {
		case i == len(kinds)-1:
			name = "efficiency"
		case i > 0:
			name = "middle"
		}
		all = append(all, s.kind(name, threads))
	}
	return all
}

func (s Source) kind(name string, threads []int) exobench.CoreKind {
	return exobench.CoreKind{Kind: name, Cores: cmp.Or(s.physical(threads), len(threads)), Threads: len(threads)}
}

// sameKind is how much of the best core of a kind another one of it can do at
// least: of cores of one kind some clock a little higher than others.
const sameKind = 0.8

// apart puts cores of like capacity together, the fastest first.
func apart(cores []int, capacity map[int]float64) [][]int {
	cores = slices.Clone(cores)
	slices.SortStableFunc(cores, func(a, b int) int { return cmp.Compare(capacity[b], capacity[a]) })
	var kinds [][]int
	for _, n := range cores {
		if last := len(kinds) - 1; last >= 0 && capacity[n] >= sameKind*capacity[kinds[last][0]] {
			kinds[last] = append(kinds[last], n)
		} else {
			kinds = append(kinds, []int{n})
		}
	}
	return kinds
}
