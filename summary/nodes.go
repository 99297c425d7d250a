package summary

import (
	"cmp"
	"slices"

	"exobench"
	"exobench/stat"
)

// NodeUse is what an engine told of one of its machines while it ran a model.
// What it did not tell is nil.
type NodeUse struct {
	Engine, Model, Node string
	// Memory is all memory in use on the node: the last reading before the load
	// and after it, and the greatest during requests.
	Before, Loaded, Peak *exobench.Bytes
	// Power in watts, GPU 0 to 1 and Temperature in °C are means during
	// requests; the temperature is the greatest.
	Power, GPU, Temperature *float64
}

type nodeKey struct{ engine, model, node string }

// nodeReadings is a NodeUse under construction.
type nodeReadings struct {
	use                     NodeUse
	before, loaded          exobench.Instant
	power, gpu, temperature []float64
}

func (b *builder) addNode(r *exobench.NodeReading) {
	key := nodeKey{r.Engine, r.Model, r.Node}
	n := b.nodes[key]
	if n == nil {
		n = &nodeReadings{use: NodeUse{Engine: r.Engine, Model: r.Model, Node: r.Node}}
		b.nodes[key] = n
	}
	switch r.Moment {
	case exobench.MomentBefore:
		if r.At >= n.before {
			n.before, n.use.Before = r.At, r.MemoryUsed
		}
	case exobench.MomentLoaded:
		if r.At >= n.loaded {
			n.loaded, n.use.Loaded = r.At, r.MemoryUsed
		}
	default:
		n.during(r)
	}
}

func (n *nodeReadings) during(r *exobench.NodeReading) {
	if r.MemoryUsed != nil && (n.use.Peak == nil || *r.MemoryUsed > *n.use.Peak) {
		n.use.Peak = r.MemoryUsed
	}
	for _, sensor := range []struct {
		value *float64
		all   *[]float64
	}{{r.Power, &n.power}, {r.GPU, &n.gpu}, {r.Temperature, &n.temperature}} {
		if sensor.value != nil {
			*sensor.all = append(*sensor.all, *sensor.value)
		}
	}
}

func (b *builder) nodeUses() []NodeUse {
	var uses []NodeUse
	for _, n := range b.nodes {
		n.use.Power, n.use.GPU = mean(n.power), mean(n.gpu)
		if len(n.temperature) > 0 {
			n.use.Temperature = new(slices.Max(n.temperature))
		}
		uses = append(uses, n.use)
	}
	slices.SortFunc(uses, func(x, y NodeUse) int {
		return cmp.Or(
			b.run.compareSubjects(Subject{x.Engine, x.Model}, Subject{y.Engine, y.Model}),
			cmp.Compare(x.Node, y.Node))
	})
	return uses
}

// mean is that of readings taken at even steps, in the order of their size so
// that it does not depend on the order of the journal.
func mean(values []float64) *float64 {
	if len(values) == 0 {
		return nil
	}
	slices.Sort(values)
	m, _ := stat.NewSample(values).Mean()
	return &m
}
