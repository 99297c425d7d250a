package summary

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"exobench"
	"exobench/metric"
)

// onGPU is a reading of a GPU of step 1: what is in use and what the engine holds,
// in MiB; what is negative is not told.
func onGPU(sec exobench.Instant, moment exobench.Moment, id string, used, engine float64, more ...exobench.Value) *exobench.Sample {
	s := aSample(1, sec*second, moment, "gpu", id, more...)
	if used >= 0 {
		s.Values = append(s.Values, exobench.Value{Quantity: exobench.GPUUsed, Value: used * float64(mib)})
	}
	if engine >= 0 {
		s.Values = append(s.Values, exobench.Value{Quantity: exobench.GPUEngine, Value: engine * float64(mib)})
	}
	return s
}

// gpuReadings are those before and after the load and during the request at 10 s.
func gpuReadings(id string, used, engine [3]float64, more ...exobench.Value) []exobench.Entry {
	return []exobench.Entry{
		onGPU(1, exobench.Before, id, used[0], engine[0], more...),
		onGPU(2, exobench.Loaded, id, used[1], engine[1], more...),
		onGPU(12, exobench.During, id, used[2], engine[2], more...),
	}
}

func TestMemoryOnGPUsIsAddedOnceToThatOfProcesses(t *testing.T) {
	unified := exobench.Value{Quantity: exobench.GPUUnified, Value: 1}
	for _, row := range []struct {
		why      string
		readings [][]exobench.Entry
		source   GPUSource
		// gpu are before, loaded and peak in MiB; -1 is unknown.
		gpu [3]exobench.Bytes
		// additional is in MiB, with 40 of main memory; 0 is unknown.
		additional, model, inference exobench.Bytes
	}{
		{"no GPU at all", nil, "", [3]exobench.Bytes{-1, -1, -1}, 40, 30, 10},
		{"what the processes hold, whatever else is there", [][]exobench.Entry{gpuReadings("a", [3]float64{900, 5000, 5600}, [3]float64{0, 4000, 4500})},
			FromGPUProcesses, [3]exobench.Bytes{0, 4000, 4500}, 4540, 4030, 510},
		{"two GPUs", [][]exobench.Entry{gpuReadings("a", [3]float64{0, 2000, 2100}, [3]float64{0, 2000, 2100}), gpuReadings("b", [3]float64{0, 3000, 3300}, [3]float64{0, 3000, 3300})},
			FromGPUProcesses, [3]exobench.Bytes{0, 5000, 5400}, 5440, 5030, 410},
		{"an engine that does not use the GPU, on which somebody else holds still", [][]exobench.Entry{gpuReadings("a", [3]float64{900, 903, 910}, [3]float64{0, 0, 0})},
			FromGPUProcesses, [3]exobench.Bytes{0, 0, 0}, 40, 30, 10},
		{"hidden processes: the device's", [][]exobench.Entry{gpuReadings("a", [3]float64{900, 5000, 5600}, [3]float64{-1, -1, -1})},
			FromGPUDevice, [3]exobench.Bytes{900, 5000, 5600}, 4740, 4130, 610},
		{"processes that are told to hold nothing while the device fills: the device's", [][]exobench.Entry{gpuReadings("a", [3]float64{900, 5000, 5600}, [3]float64{0, 0, 0})},
			FromGPUDevice, [3]exobench.Bytes{900, 5000, 5600}, 4740, 4130, 610},
		{"a GPU in the host's memory: shown and not added", [][]exobench.Entry{gpuReadings("a", [3]float64{-1, -1, -1}, [3]float64{0, 4000, 4500}, unified)},
			FromGPUProcesses, [3]exobench.Bytes{0, 4000, 4500}, 40, 30, 10},
		{"one of each: the one with memory of its own counts", [][]exobench.Entry{gpuReadings("a", [3]float64{0, 70, 70}, [3]float64{0, 70, 70}, unified), gpuReadings("b", [3]float64{0, 3000, 3300}, [3]float64{0, 3000, 3300})},
			FromGPUProcesses, [3]exobench.Bytes{0, 3000, 3300}, 3340, 3030, 310},
		{"not read before the load: what was added is not known", [][]exobench.Entry{gpuReadings("a", [3]float64{-1, 5000, 5600}, [3]float64{-1, 4000, 4500})},
			FromGPUProcesses, [3]exobench.Bytes{-1, 4000, 4500}, 0, 0, 510},
		{"temperature alone", [][]exobench.Entry{gpuReadings("a", [3]float64{-1, -1, -1}, [3]float64{-1, -1, -1}, exobench.Value{Quantity: exobench.GPUTemperature, Value: 40})},
			"", [3]exobench.Bytes{-1, -1, -1}, 40, 30, 10},
	} {
		entries := append(slices.Concat(row.readings...), reading(1, exobench.Before, 100*mib), reading(2, exobench.Loaded, 130*mib), reading(12, exobench.During, 140*mib), ok(1, 10, 5*second))
		c := only(t, entries...)
		got, source := [3]exobench.Bytes{-1, -1, -1}, GPUSource("")
		if g := c.Memory.GPU; g != nil {
			source = g.Source
			for i, b := range []*exobench.Bytes{g.Before, g.Loaded, g.Peak} {
				if b != nil {
					got[i] = *b / mib
				}
			}
		}
		if got != row.gpu || source != row.source {
			t.Errorf("%s: GPU memory %v from %q, want %v from %q", row.why, got, source, row.gpu, row.source)
		}
		for _, part := range []struct {
			name string
			of   func() (exobench.Bytes, bool)
			cell string
			want exobench.Bytes
		}{
			{metric.MemoryAdditional, c.Memory.Additional, metric.CellMemoryAdditional, row.additional},
			{"", c.Memory.Model, metric.MemoryModel, row.model},
			{metric.MemoryInference, c.Memory.Inference, metric.CellMemoryInference, row.inference},
		} {
			size, known := part.of()
			value, told := c.Value(part.cell)
			sample, sampled := c.Metric(part.name)
			if size != part.want*mib || known != (part.want != 0) || value != float64(size) || told != known || part.name != "" && (sample.Median != float64(size) || sampled != known) {
				t.Errorf("%s: %s is %v (%v), of the cell %v, of the request %v; want %v", row.why, part.cell, size, known, value, sample.Median, part.want*mib)
			}
		}
		if peak, known := c.Metric(metric.GPUMemoryPeak); known != (row.gpu[2] >= 0) || known && peak.Median != float64(row.gpu[2]*mib) {
			t.Errorf("%s: the peak is %v, %v", row.why, peak.Median, known)
		}
	}
}

func TestAModelThatIsLoadedOnAGPUWasNotThereBefore(t *testing.T) {
	still := []exobench.Entry{reading(1, exobench.Before, 100*mib), reading(2, exobench.Loaded, 100*mib), reading(12, exobench.During, 100*mib), ok(1, 10, 5*second)}
	c := only(t, append(gpuReadings("a", [3]float64{0, 4000, 4000}, [3]float64{0, 4000, 4000}), still...)...)
	checkWarnings(t, c, TooFewRequests{1, IntervalN})
	c = only(t, append(gpuReadings("a", [3]float64{4000, 4000, 4000}, [3]float64{4000, 4000, 4000}), still...)...)
	checkWarnings(t, c, TooFewRequests{1, IntervalN}, ModelWasThere{NothingLoaded})
}

func TestTheCellsMemoryIsOfTheRequestWithTheMostOfBoth(t *testing.T) {
	entries := append(gpuReadings("a", [3]float64{0, 1000, 3000}, [3]float64{0, 1000, 3000}), onGPU(19, exobench.During, "a", 1000, 1000),
		reading(1, exobench.Before, 0), reading(2, exobench.Loaded, 100*mib), reading(12, exobench.During, 100*mib), reading(22, exobench.During, 300*mib),
		ok(1, 10, 5*second), ok(2, 20, 5*second))
	c := only(t, entries...)
	if c.Memory.Peak.Total != 100*mib || *c.Memory.GPU.Peak != 3000*mib {
		t.Errorf("peaks of %v and %v", c.Memory.Peak.Total, *c.Memory.GPU.Peak)
	}
}

func TestWhatAGPUDidInAStep(t *testing.T) {
	at := func(sec exobench.Instant, power, busy, heat, throttled, reasons float64) *exobench.Sample {
		return onGPU(sec, exobench.During, "a", 4000+power, 3000, exobench.Value{Quantity: exobench.GPUPower, Value: power}, exobench.Value{Quantity: exobench.GPUBusy, Value: busy},
			exobench.Value{Quantity: exobench.GPUTemperature, Value: heat}, exobench.Value{Quantity: exobench.GPUThrottled, Value: throttled}, exobench.Value{Quantity: exobench.GPUThrottleReasons, Value: reasons},
			exobench.Value{Quantity: exobench.GPUTotal, Value: 8000 * float64(mib)}, exobench.Value{Quantity: exobench.GPUClock, Value: 1e9})
	}
	run := of(t, at(9, 50, 0, 30, 0, 1), at(10, 100, 0.5, 40, 0, 0), at(11, 200, 1, 50, 1, 4), at(12, 200, 1, 60, 1, 0x44), at(13, 999, 1, 99, 1, 0x80), ok(1, 10, 2*second))
	want := []StepGPU{{
		ID: "a", Source: FromGPUProcesses, Peak: new(3000 * mib), Used: new(4200 * mib), Total: new(8000 * mib),
		Busy: new(0.875), Power: new(175.0), MaxTemperature: new(60.0), Clock: new(1e9), Throttled: new(0.75), Reasons: 0x44,
	}}
	if diff := cmp.Diff(want, run.Step(1).GPUs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
