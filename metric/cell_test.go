package metric

import (
	"math"
	"slices"
	"testing"
	"time"

	"exobench"
)

func TestMetricsOfACellByHand(t *testing.T) {
	full := Totals{
		OK: 8, Wall: 4 * time.Second, UnderWay: 10 * time.Second, Tokens: new(80.0), Energy: new(40.0), EnergyAboveIdle: new(24.0),
		Before: new(exobench.Bytes(10)), Loaded: new(exobench.Bytes(100)), Peak: new(exobench.Bytes(130)),
		GPU:     &GPUTotals{Before: new(exobench.Bytes(7)), Loaded: new(exobench.Bytes(1007)), Peak: new(exobench.Bytes(1507)), Apart: true},
		Loading: new(3 * time.Second), Downloading: new(time.Second), Ceiling: new(50.0), Decode: new(40.0),
	}
	hand := map[string]float64{
		WallTime: 4, Delivered: 2.5, Throughput: 20, RequestRate: 2, EnergyPerToken: 0.5, CellEnergy: 40, CellEnergyAboveIdlePerToken: 0.3, LoadTime: 3, DownloadTime: 1,
		MemoryBefore: 10, MemoryLoaded: 100, CellMemoryPeak: 130, MemoryModel: 1090, CellMemoryInference: 530, CellMemoryAdditional: 1620,
		GPUMemoryBefore: 7, GPUMemoryLoaded: 1007, CellGPUMemoryPeak: 1507,
		DecodeCeiling: 50, ShareOfCeiling: 0.8,
	}
	for _, m := range PerCell() {
		want, listed := hand[m.Name]
		if got, ok := m.OfCell(&full); !listed || !ok || math.Abs(got-want) > 1e-12 {
			t.Errorf("%s = %v, %v, want %v", m.Name, got, ok, want)
		}
		if got, ok := m.OfCell(&Totals{OK: 8}); ok {
			t.Errorf("%s of a cell of which nothing is known: %v", m.Name, got)
		}
	}
}

func TestAMetricIsOfARecordOfARequestOrOfACell(t *testing.T) {
	var names []string
	for _, m := range slices.Concat(Sampled(), PerCell()) {
		names = append(names, m.Name)
		if m.Value != nil && m.OfCell != nil {
			t.Errorf("%s is of a record and of a cell", m.Name)
		}
	}
	if len(names) != len(All) {
		t.Errorf("%d metrics of %d are one of both", len(names), len(All))
	}
	n := len(PerRequest())
	if first := names[:n]; !slices.Equal(names[n:n+5], []string{MemoryPeak, MemoryInference, MemoryAdditional, GPUMemoryPeak, Energy}) || first[0] != Latency {
		t.Errorf("the order of samples is %q", names)
	}
}
