package exo

import (
	"slices"
	"strings"
	"testing"
	"time"

	"exobench"
)

func TestPlacementIsAwaitedWhileExoSettles(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.previews = []string{
		previews(),
		previews(refusal("Pipeline", "MlxRing", "No cycle where every node supports a backend in ['MlxCpu'] for x")),
		previews(preview1("i-1", tinyID)),
	}
	d.walk = d.ready("i-1")
	_, seen, err := d.prepare(d.quick())
	if err != nil {
		t.Fatal(err)
	}
	var details []string
	for _, e := range seen.events {
		if strings.HasPrefix(e.Detail, "waiting") {
			details = append(details, e.Detail)
		}
	}
	if len(details) != 2 || !strings.Contains(details[0], "offers no placement at all") || !strings.Contains(details[1], "supports a backend") {
		t.Errorf("details %q", details)
	}
}

func TestAReasonThatLastsIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.nodes["n2"] = "studio-2"
	reason := "Requested Tensor sharding but this model does not support tensor parallelism: x"
	d.previews = []string{previews(
		refusal("Pipeline", "MlxRing", "No cycles found with sufficient memory"), // not what was asked for
		refusal("Tensor", "MlxRing", reason), refusal("Tensor", "MlxJaccl", reason))}
	config := d.quick()
	config.sharding, config.maxNodes, config.pace.settle = tensor, 2, time.Hour
	_, _, err := d.prepare(config)
	wantError(t, err, "placement: ", "(Tensor, 1 to 2 nodes): "+reason)
	if strings.Count(err.Error(), reason) != 1 || strings.Contains(err.Error(), "sufficient memory") {
		t.Errorf("error %q repeats a reason or gives one that was not asked for", err)
	}
}

func TestTooLittleMemoryIsReportedOnceExoHadTimeToSettle(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.previews = []string{previews(
		refusal("Pipeline", "MlxRing", "No cycles found with sufficient memory"),
		refusal("Pipeline", "MlxJaccl", "Requested RDMA (MlxJaccl) but no RDMA-connected cycles available"))}
	config := d.quick()
	config.pace.settle = 30 * time.Millisecond
	_, _, err := d.prepare(config)
	wantError(t, err, "(1 node): No cycles found with sufficient memory (waited 30ms")
	if strings.Contains(err.Error(), "RDMA") {
		t.Errorf("error %q speaks of RDMA to who asked for one node", err)
	}
}

func TestAFalseLabelDoesNotMakeAPlacementTensor(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	alone := placed("MlxRingInstance", "PipelineShardMetadata", "i-1", tinyID, "n1")
	d.previews = []string{previews(labelled("Tensor", "MlxJaccl", alone))}
	config := d.quick()
	config.sharding, config.maxNodes, config.pace.settle = tensor, 2, 10*time.Millisecond
	_, _, err := d.prepare(config)
	wantError(t, err, "(Tensor, 1 to 2 nodes): exo offers Pipeline/MlxRing/1 node")
}

func TestTheSmallestAndPlainestPlacementComesFirst(t *testing.T) {
	t.Parallel()
	one := labelled("Tensor", "MlxJaccl", placed("MlxRingInstance", "PipelineShardMetadata", "one", tinyID, "n1"))
	pipeRing := labelled("Pipeline", "MlxRing", placed("MlxRingInstance", "PipelineShardMetadata", "pipe-ring", tinyID, "n1", "n2"))
	pipeJaccl := labelled("Pipeline", "MlxJaccl", placed("MlxJacclInstance", "PipelineShardMetadata", "pipe-jaccl", tinyID, "n1", "n2"))
	tensorRing := labelled("Tensor", "MlxRing", placed("MlxRingInstance", "TensorShardMetadata", "tensor-ring", tinyID, "n1", "n2"))
	tensorJaccl := labelled("Tensor", "MlxJaccl", placed("MlxJacclInstance", "TensorShardMetadata", "tensor-jaccl", tinyID, "n1", "n2"))
	for _, row := range []struct {
		claim          string
		sharding, meta string
		min, max       int
		want           string
	}{
		{claim: "one node where nothing is asked", min: 1, max: 2, want: "one"},
		{claim: "pipeline over ring of two nodes", min: 2, max: 2, want: "pipe-ring"},
		{claim: "tensor over ring before jaccl", sharding: tensor, min: 1, max: 2, want: "tensor-ring"},
		{claim: "pipeline before tensor over jaccl", meta: jaccl, min: 1, max: 2, want: "pipe-jaccl"},
		{claim: "exactly what is asked", sharding: tensor, meta: jaccl, min: 2, max: 2, want: "tensor-jaccl"},
	} {
		t.Run(row.claim, func(t *testing.T) {
			t.Parallel()
			d := newDouble(t)
			d.nodes["n2"] = "studio-2"
			d.previews = []string{previews(tensorJaccl, tensorRing, pipeJaccl, pipeRing, one)}
			d.walk = []func(){func() {
				for _, r := range []string{"-r0", "-r1"} {
					d.runners[row.want+r] = `{"RunnerReady":{}}`
				}
			}}
			config := d.quick()
			config.sharding, config.instanceMeta, config.minNodes, config.maxNodes = row.sharding, row.meta, row.min, row.max
			deployment, _, err := d.prepare(config)
			if err != nil {
				t.Fatal(err)
			}
			if deployment.Instance != row.want {
				t.Errorf("took %s, want %s", deployment.Instance, row.want)
			}
		})
	}
}

func TestACardThatCannotBeLoadedIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.answers["GET /instance/previews"] = failing(400, "Failed to load model card: no such repo")
	_, _, err := d.prepare(d.quick())
	wantError(t, err, "placement: ", "Failed to load model card: no such repo")
}

func TestEachPlacementThatIsOfferedCanBeAskedFor(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.nodes["n2"] = "studio-2"
	d.previews = []string{previews(
		labelled("Tensor", "MlxJaccl", placed("MlxJacclInstance", "TensorShardMetadata", "i-3", tinyID, "n1", "n2")),
		labelled("Pipeline", "MlxRing", placed("MlxRingInstance", "PipelineShardMetadata", "i-2", tinyID, "n1", "n2")),
		labelled("Pipeline", "MlxRing", placed("MlxRingInstance", "PipelineShardMetadata", "i-1", tinyID, "n1")),
		labelled("Tensor", "MlxRing", placed("MlxRingInstance", "PipelineShardMetadata", "i-0", tinyID, "n1")), // falsely labelled
	)}
	config := d.quick()
	config.maxNodes = 2
	engine := d.dial(config)
	labels, err := engine.Placements(t.Context(), exobench.Model{ID: tinyID})
	want := []string{"Pipeline/MlxRing/1 node", "Pipeline/MlxRing/2 nodes", "Tensor/MlxJaccl/2 nodes"}
	if err != nil || !slices.Equal(labels, want) {
		t.Fatalf("placements %q, %v; want %q", labels, err, want)
	}
	d.walk = []func(){func() {
		for _, r := range []string{"i-2-r0", "i-2-r1"} {
			d.runners[r] = `{"RunnerReady":{}}`
		}
	}}
	deployment, err := engine.Prepare(t.Context(), tiny, want[1], func(exobench.StageEvent) {})
	if err != nil || deployment.Placement != want[1] || deployment.Instance != "i-2" {
		t.Errorf("deployment %+v, %v", deployment, err)
	}
}
