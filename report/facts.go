package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"exobench"
	"exobench/summary"
)

// facts say what ran where and when.
func facts(run *summary.Run) List {
	var list List
	fact := func(name, format string, args ...any) {
		list = append(list, plainText(name+": "+fmt.Sprintf(format, args...)))
	}
	h := run.Header
	fact("Run", "%s", h.RunID+began(run))
	for _, e := range h.Engines {
		fact("Engine", "%s", engineFact(e))
	}
	for _, host := range hosts(run) {
		fact("Host", "%s", host)
	}
	fact("Tool", "exobench %s, %s, %s/%s", h.Tool.Version, h.Tool.Go, h.Tool.OS, h.Tool.Arch)
	fact("Plan", "%s", planSentence(h.Plan))
	fact("Cache", "%s planned; answers say: %s", h.Plan.Workload.Cache, cacheSentence(run)+promptSeeds(run))
	fact("Requests", "%d measured, %d warm-ups left out", run.Requests, run.Warmups)
	return list
}

// promptSeeds tells of what cold prompts began with, so that somebody could send
// them again.
func promptSeeds(run *summary.Run) string {
	apart := func(e exobench.Engine) bool { return !e.CacheSwitch }
	if run.Header.Plan.Workload.Cache != exobench.ColdCache || !slices.ContainsFunc(run.Header.Engines, apart) {
		return ""
	}
	var seeds []string
	for _, s := range run.Sessions {
		if s.PromptSeed != 0 {
			seeds = append(seeds, fmt.Sprint(s.PromptSeed))
		}
	}
	if len(seeds) == 0 {
		return ""
	}
	return "; prompts began with letters of the seed " + strings.Join(seeds, ", ")
}

// began says when the run did, and in how many goes it was made.
func began(run *summary.Run) string {
	var text string
	if len(run.Sessions) > 0 {
		text = ", " + run.Sessions[0].Epoch.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	if n := len(run.Sessions); n > 1 {
		text += fmt.Sprintf(", in %d sessions", n)
	}
	return text
}

// hosts lists the machines that exobench ran on, each once.
func hosts(run *summary.Run) []string {
	var all []string
	for _, s := range run.Sessions {
		parts := []string{s.Host.Name, s.Host.System, s.Host.CPU, fmt.Sprintf("%d cores", s.Host.Cores)}
		if s.Host.Memory > 0 {
			parts = append(parts, s.Host.Memory.String())
		}
		for _, g := range s.Host.GPUs {
			parts = append(parts, gpuFact(g))
		}
		parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
		if text := strings.Join(parts, ", "); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

// gpuFact says what a GPU is.
func gpuFact(g exobench.GPU) string {
	var parts []string
	switch {
	case g.Memory > 0:
		parts = append(parts, g.Memory.String())
	case g.Unified:
		parts = append(parts, "in the host's memory")
	}
	if g.Driver != "" {
		parts = append(parts, "driver "+g.Driver)
	}
	if n := len(g.MIG); n > 0 {
		parts = append(parts, fmt.Sprintf("in %d parts", n))
	}
	text := cmp.Or(g.Name, g.ID)
	if len(parts) > 0 {
		text += " (" + strings.Join(parts, "; ") + ")"
	}
	return text
}

func planSentence(p exobench.Plan) string {
	length := fmt.Sprintf("%d tokens asked for", p.Workload.MaxTokens)
	if p.Workload.NaturalStop {
		length = fmt.Sprintf("at most %d tokens, natural stop", p.Workload.MaxTokens)
	}
	parts := []string{stopText(p) + " in each cell", length}
	var closed []string
	open, bound := map[exobench.Arrival][]string{}, 0
	for _, t := range p.Traffic {
		if t.Open() {
			open[t.Arrival] = append(open[t.Arrival], t.String())
			bound = max(bound, t.MaxUnderWay)
		} else {
			closed = append(closed, t.String())
		}
	}
	if len(closed) > 0 {
		parts = append(parts, "closed loop, concurrency "+strings.Join(closed, ", "))
	}
	for _, arrival := range []exobench.Arrival{exobench.Poisson, exobench.Constant} {
		if len(open[arrival]) > 0 {
			parts = append(parts, string(arrival)+" open loop, "+strings.Join(open[arrival], ", "))
		}
	}
	if bound > 0 {
		parts = append(parts, fmt.Sprintf("at most %d under way", bound))
	}
	return strings.Join(append(parts, fmt.Sprintf("order seed %d", p.Seeds.Order)), ", ")
}

// stopText says when the requests of a cell end.
func stopText(p exobench.Plan) string {
	n := len(p.Workload.Prompts)
	var parts []string
	switch {
	case p.Stop.Until != "":
		parts = append(parts, fmt.Sprintf("%d prompts × %d to %d repeats until %s", n, p.Stop.Repeat, p.Stop.MaxRepeat, strings.ReplaceAll(goalsText(p.Stop.Until), " within", " is within")))
		if p.Stop.MaxTime > 0 {
			parts = append(parts, fmt.Sprintf("or for %v", p.Stop.MaxTime))
		}
	case p.Stop.Requests > 0:
		parts = append(parts, fmt.Sprintf("%d requests from %d prompts", p.Stop.Requests, n))
	case p.Stop.Repeat > 0:
		parts = append(parts, fmt.Sprintf("%d prompts × %d repeats", n, p.Stop.Repeat))
	default:
		parts = append(parts, fmt.Sprintf("requests from %d prompts", n))
	}
	if p.Stop.Duration > 0 {
		parts = append(parts, fmt.Sprintf("for up to %v", p.Stop.Duration))
	}
	return strings.Join(parts, " ")
}

// cacheSentence counts the cells by what their answers tell of the cache.
func cacheSentence(run *summary.Run) string {
	counts, measured := map[summary.Cache]int{}, 0
	for _, c := range run.Cells {
		if c.Requests > 0 {
			counts[c.Cache]++
			measured++
		}
	}
	var parts []string
	for _, kind := range []summary.Cache{summary.CacheCold, summary.CacheWarm, summary.CacheUnknown} {
		if counts[kind] > 0 {
			parts = append(parts, fmt.Sprintf("%s in %d of %d cells", kind, counts[kind], measured))
		}
	}
	return orDash(strings.Join(parts, ", "))
}
