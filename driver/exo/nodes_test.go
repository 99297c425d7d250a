package exo

import (
	"testing"

	"exobench"
)

func TestTheUseOfGPUsIsAShareWhateverExoPassesOn(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why string
		// told are what a node tells, one look after the other.
		told []string
		// want are the values of the last look.
		gpu, power, celsius float64
		gpuTold             bool
	}{
		{"macmon's share", []string{`{"gpuUsage":0.42,"temp":51.3,"sysPower":87.5}`}, 0.42, 87.5, 51.3, true},
		{"an idle GPU", []string{`{"gpuUsage":0.0,"temp":31.5,"sysPower":9}`}, 0, 9, 31.5, true},
		{"a full one, rounded up", []string{`{"gpuUsage":1.0000001,"temp":51.3,"sysPower":87.5}`}, 1, 87.5, 51.3, true},
		{"per cent", []string{`{"gpuUsage":42,"temp":51.3,"sysPower":87.5}`}, 0.42, 87.5, 51.3, true},
		{"little, of one that tells per cent", []string{`{"gpuUsage":97,"temp":60,"sysPower":90}`, `{"gpuUsage":1,"temp":60,"sysPower":90}`}, 0.01, 90, 60, true},
		{"what was never set", []string{`{"gpuUsage":0.0,"temp":0.0,"sysPower":0.0,"pcpuUsage":0.0,"ecpuUsage":0.0}`}, 0, 0, 0, false},
		{"power alone was not measured", []string{`{"gpuUsage":0.5,"temp":50,"sysPower":0.0}`}, 0.5, 0, 50, true},
		{"nothing", []string{`{}`}, 0, 0, 0, false},
		{"what cannot be", []string{`{"gpuUsage":-1,"temp":50,"sysPower":9}`}, 0, 9, 50, false},
		{"nor this", []string{`{"gpuUsage":1e6,"temp":50,"sysPower":9}`}, 0, 9, 50, false},
	} {
		d := newDouble(t)
		nodes := sensor(d.dial(d.quick()), "nodes")
		var last exobench.Values
		for _, told := range row.told {
			d.mu.Lock()
			d.sensors = map[string]string{"n1": told}
			d.mu.Unlock()
			samples, err := nodes.Read(t.Context(), exobench.Before)
			if err != nil {
				t.Fatal(err)
			}
			last = samples[0].Values
		}
		gpu, gpuTold := last.Get(exobench.NodeGPU)
		power, powerTold := last.Get(exobench.NodePower)
		celsius, warm := last.Get(exobench.NodeTemperature)
		if gpu != row.gpu || gpuTold != row.gpuTold || power != row.power || powerTold != (row.power > 0) || celsius != row.celsius || warm != (row.celsius > 0) {
			t.Errorf("%s: GPU %v (told %v), power %v (told %v), temperature %v (told %v)", row.why, gpu, gpuTold, power, powerTold, celsius, warm)
		}
	}
}
