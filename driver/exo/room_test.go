package exo

import (
	"strings"
	"testing"
	"time"

	"exobench"
)

const noRoom = "No cycles found with sufficient memory"

// memoryOf is a nodeMemory entry.
func memoryOf(total, available string) string {
	return `{"ramTotal":{"inBytes":` + total + `},"ramAvailable":{"inBytes":` + available + `}}`
}

func TestAModelThatCannotFitIsRefusedAtOnceWithTheFigures(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why      string
		nodes    map[string]string // memory by node
		previews string
		maxNodes int
		says     string
		at       time.Duration // at the latest
	}{
		{"more than there is", map[string]string{"n1": memoryOf("536870912", "268435456")}, previews(refusal("Pipeline", "MlxRing", noRoom)), 1,
			"it does not fit: its weights take 696 MiB, and exo has 512 MiB in all on 1 node (studio-1: 256 MiB of 512 MiB)", 5 * time.Second},
		{"more than is free", map[string]string{"n1": memoryOf("1073741824", "268435456")}, previews(refusal("Pipeline", "MlxRing", noRoom)), 1,
			"it does not fit: its weights take 696 MiB, and exo has 256 MiB free on 1 node (studio-1: 256 MiB of 1.00 GiB) (waited 300ms)", 30 * time.Second},
		{"it would on two nodes", map[string]string{"n1": memoryOf("536870912", "536870912"), "n2": memoryOf("536870912", "536870912")},
			previews(labelled("Pipeline", "MlxRing", placed("MlxRingInstance", "PipelineShardMetadata", "i-1", tinyID, "n1", "n2"))), 1,
			"with another --max-nodes exo offers Pipeline/MlxRing/2 nodes", 5 * time.Second},
	} {
		d := newDouble(t)
		d.previews, d.sizes = []string{row.previews}, row.nodes
		if len(row.nodes) > 1 {
			d.nodes["n2"] = "studio-2"
		}
		config := d.quick()
		config.maxNodes = row.maxNodes
		config.pace.settle = time.Minute
		began := time.Now()
		_, err := d.clear(d.dial(config))
		wantError(t, err, "placement: ", row.says)
		if took := time.Since(began); took > row.at {
			t.Errorf("%s: refused after %v", row.why, took)
		}
	}
}

func TestMemoryThatIsAboutToBeFreeIsWaitedForAndTold(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	refused := previews(refusal("Pipeline", "MlxRing", noRoom))
	d.previews = []string{refused, refused, previews(preview1("i-1", tinyID))}
	d.sizes = map[string]string{"n1": memoryOf("1073741824", "268435456")}
	config := d.quick()
	config.pace.memory = 10 * time.Second
	seen, err := d.clear(d.dial(config))
	if err != nil {
		t.Fatal(err)
	}
	told := ""
	for _, e := range seen.events {
		if e.Stage == exobench.StagePlace {
			told += e.Detail
		}
	}
	if !strings.Contains(told, "exo has 256 MiB free") {
		t.Errorf("told %q", told)
	}
	// Where the figures do not bear exo out, it may just not have heard of its nodes.
	d.sizes = nil
	d.previews = []string{refused, previews(preview1("i-1", tinyID))}
	if _, err := d.clear(d.dial(config)); err != nil {
		t.Error(err)
	}
}
