package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"exobench"
	"exobench/driver"
	"exobench/run"
	"exobench/secret"
)

// prospect is what a run would do.
type prospect struct {
	Plan    exobench.Plan     `json:"plan"`
	Engines []exobench.Engine `json:"engines"`
	Steps   []exobench.Step   `json:"steps"`
	Cells   []exobench.Cell   `json:"cells"`
	Notes   []exobench.Note   `json:"notes"`

	outline *exobench.Outline
}

// dryRun says what a run of the opened engines would place and measure. It has
// nothing loaded and writes no file.
func dryRun(ctx context.Context, env environment, o opener, engines []run.Engine, asJSON bool) error {
	p := prospect{Plan: o.plan, Notes: o.notes}
	for _, e := range engines {
		p.Engines = append(p.Engines, e.Entry)
		for _, text := range e.Notices() {
			p.Notes = append(p.Notes, exobench.Note{Engine: e.Entry.Name, Text: text})
		}
	}
	p.outline = exobench.NewOutline(o.plan, p.Engines, 1)
	if err := p.place(ctx, engines); err != nil {
		return err
	}
	hide := env.secrets.Hide
	p.outline.Steps, p.outline.Cells = secret.Map(p.outline.Steps, hide), secret.Map(p.outline.Cells, hide)
	p.Engines, p.Notes = secret.Map(p.Engines, hide), secret.Map(p.Notes, hide)
	p.Steps, p.Cells = p.outline.Steps, p.outline.Cells
	if asJSON {
		encoder := json.NewEncoder(env.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(p)
	}
	return p.show(env.Stdout)
}

// place asks the engines where they would put the models. That one cannot be
// put anywhere as things are is worth a note, and the run may yet find it
// otherwise.
func (p *prospect) place(ctx context.Context, engines []run.Engine) error {
	byName := map[string]driver.Engine{}
	for _, e := range engines {
		byName[e.Entry.Name] = e.Engine
	}
	told := map[string]bool{}
	for _, step := range p.outline.Steps[:len(p.outline.Steps):len(p.outline.Steps)] {
		engine, ok := byName[step.Engine].(driver.Previewer)
		if !ok {
			continue
		}
		placements, err := engine.Preview(ctx, step.Model)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			// It is the same for each load of the model.
			if text := plainly(step.Model.Name + ": " + err.Error()); !told[step.Engine+text] {
				told[step.Engine+text] = true
				p.Notes = append(p.Notes, exobench.Note{Engine: step.Engine, Step: step.ID, Text: text})
			}
		case p.Plan.AllPlacements:
			p.outline.Spread(p.Plan, step.ID, placements)
		case len(placements) > 0:
			p.outline.Spread(p.Plan, step.ID, placements[:1])
		}
	}
	return nil
}

// show writes it for people.
func (p *prospect) show(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ENGINE\tVERSION\tURL\tWHAT")
	for _, e := range secret.Map(p.Engines, forTable) {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", e.Name, orUnknown(e.Version), e.URL, e.Label)
	}
	fmt.Fprintln(t)
	fmt.Fprintln(t, "STEP\tENGINE\tMODEL\tID\tPLACEMENT\tLOAD")
	for _, s := range secret.Map(p.outline.Steps, forTable) {
		placement := s.Placement
		if placement == "" {
			placement = "the engine's choice"
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%d of %d\n", s.ID, s.Engine, s.Model.Name, s.Model.ID, placement, s.Load, p.Plan.LoadCount())
	}
	fmt.Fprintln(t)
	fmt.Fprintln(t, "CELL\tSTEP\tTRAFFIC\tREQUESTS\tUNDER WAY")
	requests, warmups := 0, 0
	for _, b := range p.outline.Blocks {
		if b.Warmup() {
			warmups += p.Plan.Warmup
			continue
		}
		cell := p.outline.Cell(b.Cell)
		n := cell.Stop.Count(len(p.Plan.Workload.Prompts))
		requests += n
		fmt.Fprintf(t, "%d\t%d\t%s\t%s\t%s\n", cell.ID, b.Step, loadOf(cell.Traffic), countOf(n, len(p.Plan.Workload.Prompts), cell.Stop), slotsOf(cell.Traffic))
	}
	fmt.Fprintf(t, "\n%d steps, %d cells, %d requests", len(p.outline.Steps), len(p.outline.Cells), requests)
	switch {
	case p.Plan.Stop.Duration > 0:
		fmt.Fprint(t, " or as many as the time allows")
	case p.Plan.Stop.Until != "":
		fmt.Fprintf(t, " at most, until %s", p.Plan.Stop.Until)
	}
	fmt.Fprintf(t, ", %d warm-ups; %d prompts, answers of %d tokens.\n", warmups, len(p.Plan.Workload.Prompts), p.Plan.Workload.MaxTokens)
	for _, n := range secret.Map(p.Notes, forTable) {
		fmt.Fprintf(t, "Note: %s: %s\n", n.Engine, n.Text)
	}
	fmt.Fprintln(t, "Nothing was loaded, and nothing is written.")
	return t.Flush()
}

func orUnknown(text string) string {
	if text == "" {
		return "?"
	}
	return text
}

// loadOf names a traffic.
func loadOf(t exobench.Traffic) string {
	if t.Open() {
		return t.String() + " " + string(t.Arrival)
	}
	return "concurrency " + t.String()
}

// countOf says how many requests a cell of so many prompts has.
func countOf(n, prompts int, stop exobench.Stop) string {
	switch {
	case stop.Until != "":
		return fmt.Sprintf("%d to %d", stop.Repeat*prompts, n)
	case n == 0:
		return "as many as " + stop.Duration.String() + " allow"
	case stop.Duration > 0:
		return fmt.Sprintf("%d, or as many as %v allow", n, stop.Duration)
	}
	return fmt.Sprint(n)
}

// slotsOf says how many requests of a traffic are under way at most.
func slotsOf(t exobench.Traffic) string {
	switch {
	case !t.Open():
		return fmt.Sprint(t.Concurrency)
	case t.MaxUnderWay > 0:
		return fmt.Sprintf("at most %d", t.MaxUnderWay)
	}
	return "no bound"
}
