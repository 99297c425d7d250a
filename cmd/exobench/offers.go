package main

import (
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"exobench"
	"exobench/catalogue"
	"exobench/ceiling"
	"exobench/driver"
	"exobench/secret"
)

// offer is a model on an engine, with what it would take and how fast it could be
// at best.
type offer struct {
	driver.Offer
	// Context is that of the figures below, in tokens.
	Context int `json:"context_tokens"`
	// Cache is the size of the keys and values, and Needs that of all that the model
	// takes with them; nil where it is not known.
	Cache *exobench.Bytes `json:"kv_bytes"`
	Needs *exobench.Bytes `json:"needs_bytes"`
	// FreeGPU is what is free of the memories of this host's GPUs, for engines that
	// put models there; nil where there is none. FitsIn is where all of it fits.
	FreeGPU *exobench.Bytes `json:"free_gpu_bytes"`
	FitsIn  fitsIn          `json:"fits_in,omitempty"`
	// Ceiling is the most tokens/s that one request could get; nil where it is not
	// known. Bandwidth is what it was reckoned from.
	Ceiling   *float64            `json:"ceiling_tokens_per_second"`
	Bandwidth *exobench.Bandwidth `json:"bandwidth"`
}

// fitsIn is which memory a model fits into, where a GPU has its own.
type fitsIn string

const (
	inGPU    fitsIn = "gpu"
	inMemory fitsIn = "memory"
	inBoth   fitsIn = "gpu+memory" // in neither alone
)

// onGPUs are the engines that put models on GPUs with a memory of their own, and
// what does not fit there into the host's. exo tells what its nodes have free.
var onGPUs = []string{"llamacpp", "ollama"}

// fit finds the memory of this host that a model fits into, the GPU's before
// others.
func (m memory) fit(needs, free exobench.Bytes) (fitsIn, bool) {
	switch {
	case needs <= *m.freeGPU:
		return inGPU, true
	case needs <= free:
		return inMemory, true
	case needs <= free+*m.freeGPU:
		return inBoth, true
	}
	return "", false
}

// judge works out what a model would take on an engine with a context of so many
// tokens, whether that fits, and how fast it could be at best.
func (m memory) judge(o driver.Offer, models *catalogue.Catalogue, context int, here bool) offer {
	// The GPU of a Mac may hold only so much of the memory that is free.
	if limit := m.host.MetalLimit; here && limit > 0 && o.Engine != "embedded" && o.Free > 0 {
		o.Free = min(o.Free, limit)
	}
	all := offer{Offer: o, Context: context}
	known, _ := models.Find(o.Model)
	r, ok := ceiling.OfModel(known, o.Size)
	if !ok || o.Engine == "embedded" { // which runs stand-ins
		return all
	}
	all.Needs = new(r.Needs(context))
	if r.Position > 0 {
		all.Cache = new(r.Cache(context))
	}
	split := here && m.freeGPU != nil && slices.Contains(onGPUs, o.Engine)
	if split {
		all.FreeGPU = m.freeGPU
	}
	switch loaded := o.Loaded != nil && *o.Loaded; {
	case loaded || o.Free <= 0:
	case split:
		in, fits := m.fit(*all.Needs, o.Free)
		all.Fits, all.FitsIn = &fits, in
	default:
		all.Fits = new(*all.Needs <= o.Free)
	}
	if b, ok, _ := m.bandwidth(r, here, o.Chip); ok {
		all.Ceiling, all.Bandwidth = new(b.PerSecond/r.At(float64(context))), &b
	}
	return all
}

// onThisHost reports whether an address is one of this host by its name; an empty
// one is an engine's usual place, which is.
func onThisHost(address string) bool {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return address == ""
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// showOffers prints a table that fits into so many columns as far as it can: the
// ids give way, which are in the last one. 0 columns are no bound.
func showOffers(w io.Writer, offers []offer, context, columns int) error {
	slices.SortStableFunc(offers, func(a, b offer) int { return strings.Compare(a.Model, b.Model) })
	rows := [][]string{{"MODEL", "ENGINE", "SIZE", "NEEDS", "FITS", "AT MOST", "THERE", "ID"}}
	for _, o := range secret.Map(offers, forTable) {
		rows = append(rows, o.fields())
	}
	var text strings.Builder
	cut := writeColumns(&text, rows, columns)
	for _, line := range remarks(offers, context) {
		text.WriteString(ansi.Wrap(line, max(columns, 0), "") + "\n")
	}
	if cut {
		text.WriteString(ansi.Wrap("Ids are cut to the width of the terminal: --json, or a pipe, has them whole.", columns, "") + "\n")
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// fields are those of a row.
func (o offer) fields() []string {
	size := "?"
	if o.Size > 0 {
		if size = o.Size.String(); o.Estimated {
			size = "~" + size
		}
	}
	needs, most := "?", "?"
	if o.Needs != nil {
		needs = o.Needs.String()
	}
	if o.Ceiling != nil {
		most = fmt.Sprintf("%.3g/s", *o.Ceiling)
	}
	return []string{o.Model, o.Engine, size, needs, o.fits(), most, o.there(), o.ID}
}

// fits says whether a model fits, and into what where that is not one memory.
func (o offer) fits() string {
	switch o.FitsIn {
	case inGPU:
		return "on GPU"
	case inMemory:
		return "in RAM"
	case inBoth:
		return "in both"
	}
	return yesNo(o.Fits)
}

// there says in a word how much of the model the engine has.
func (o offer) there() string {
	switch {
	case o.Loaded != nil && *o.Loaded:
		return "loaded"
	case o.Downloaded != nil && *o.Downloaded:
		return "on disk"
	case o.Downloaded != nil:
		return "no"
	}
	return "?"
}

// leastID is the least that is shown of an id before its column is left out.
const leastID = 12

// writeColumns writes rows in columns, with two spaces between them, and cuts the
// last one in its middle where there is no room; it reports whether it did. The
// last column is left out where hardly any of it could be shown.
func writeColumns(w *strings.Builder, rows [][]string, columns int) (cut bool) {
	last := len(rows[0]) - 1
	widths := make([]int, last+1)
	for _, row := range rows {
		for i, field := range row {
			widths[i] = max(widths[i], ansi.StringWidth(field))
		}
	}
	used := 0
	for _, width := range widths[:last] {
		used += width + 2
	}
	room := widths[last]
	if columns > 0 && used+room > columns {
		room, cut = columns-used, true
	}
	for _, row := range rows {
		var line strings.Builder
		for i, field := range row[:last] {
			line.WriteString(field + strings.Repeat(" ", widths[i]+2-ansi.StringWidth(field)))
		}
		if room >= leastID || !cut {
			line.WriteString(shortID(row[last], room))
		}
		w.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return cut
}

// shortID cuts an id in its middle: both ends tell ids apart.
func shortID(id string, room int) string {
	width := ansi.StringWidth(id)
	if width <= room {
		return id
	}
	head := room / 3
	return ansi.Truncate(id, head, "") + "…" + ansi.TruncateLeft(id, width-(room-head-1), "")
}

// remarks say what the columns mean, what the figures rest on, and what keeps an
// engine from running.
func remarks(offers []offer, context int) []string {
	all := []string{"", fmt.Sprintf("NEEDS is weights, keys and values of %d tokens (--context) and buffers; AT MOST is the tokens/s that memory allows one request then.", context)}
	add := func(line string) {
		if !slices.Contains(all, line) {
			all = append(all, line)
		}
	}
	add(freeRemark(offers))
	for _, o := range offers {
		if o.FreeGPU != nil {
			add(fmt.Sprintf("Free on this host's GPUs: %.0f GiB, for engines that were built for them; FITS says where a model fits: on GPU, in RAM only, or in both together. AT MOST is with all of it on the GPU.", float64(*o.FreeGPU)/(1<<30)))
		}
	}
	for _, o := range offers {
		if o.Bandwidth != nil {
			add(bandwidthRemark(*o.Bandwidth))
		}
	}
	for _, o := range offers {
		if o.Why != "" && o.Why != "unknown" && o.Why != "loaded" && !strings.HasSuffix(o.Why, " free") {
			add(o.Engine + ": " + o.Why + ".")
		}
	}
	return all
}

// freeRemark says how much memory is free for which engines, to the GiB: each read
// it at a moment of its own.
func freeRemark(offers []offer) string {
	var amounts []string
	engines := map[string][]string{}
	for _, o := range offers {
		amount := "unknown"
		if o.Free > 0 {
			amount = fmt.Sprintf("%.0f GiB", float64(o.Free)/(1<<30))
		}
		if !slices.Contains(amounts, amount) {
			amounts = append(amounts, amount)
		}
		if !slices.Contains(engines[amount], o.Engine) {
			engines[amount] = append(engines[amount], o.Engine)
		}
	}
	for i, amount := range amounts {
		amounts[i] = amount + " (" + strings.Join(engines[amount], ", ") + ")"
	}
	return "Memory that is free now: " + strings.Join(amounts, "; ") + "."
}

func bandwidthRemark(b exobench.Bandwidth) string {
	text := fmt.Sprintf("Bandwidth: %.3g GB/s", b.PerSecond/1e9)
	switch b.From {
	case exobench.BandwidthGiven:
		return text + ", as --bandwidth says."
	case exobench.BandwidthMeasured:
		return text + ", measured just now (" + b.Of + "); what else runs takes its share."
	}
	return text + " (" + b.Of + ": " + b.Source + ")."
}

// yesNo writes what an engine tells; a question mark where it does not.
func yesNo(b *bool) string {
	switch {
	case b == nil:
		return "?"
	case *b:
		return "yes"
	}
	return "no"
}
