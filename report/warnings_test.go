package report

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// warnings are one of each type and of each cause.
var warnings = []summary.Figures{
	summary.CutOff{Requests: 21}, summary.StoppedEarly{Requests: 3}, summary.BrokenOff{Requests: 3, Error: "disk full"},
	summary.DamagedLines{Lines: 1, At: []int{7}}, summary.DamagedLines{Lines: 2}, summary.DamagedLines{Lines: 3, At: []int{5, 81}}, summary.DoneAgain{Requests: 12}, summary.UnplacedRequests{Requests: 4},
	summary.CacheUntold{Cells: 2, Of: 3, Apart: true}, summary.CacheUntold{Cells: 2, Of: 3}, summary.PromptsRepeat{Seed: 7},
	summary.FailedRequests{Failed: 3, Of: 5, Outcomes: []summary.OutcomeCount{{Outcome: exobench.Dropped, N: 2}, {Outcome: exobench.Unsent, N: 1}}},
	summary.FailedRequests{Failed: 3, Of: 5, Outcomes: []summary.OutcomeCount{{Outcome: exobench.HTTPError, N: 2}, {Outcome: exobench.Unsent, N: 1}}},
	summary.EndedEarly{Reason: exobench.BlockNoAnswer, Unsent: 4}, summary.EndedEarly{Reason: exobench.BlockInterrupted}, summary.EndedEarly{Reason: exobench.BlockFailed},
	summary.ImpossibleFigures{N: 1, Of: 5, Metric: metric.ServerDecode},
	doubted(exobench.Doubt{Kind: exobench.UnknownEvents, Count: 3, Text: `{"x":1}`}), doubted(exobench.Doubt{Kind: exobench.UnknownFields, Count: 1, Text: "error: x"}),
	doubted(exobench.Doubt{Kind: exobench.UnknownFinish, Text: "abort"}), doubted(exobench.Doubt{Kind: exobench.UsageMisfit, Said: 40, Seen: 20}),
	doubted(exobench.Doubt{Kind: exobench.AbsurdFigure, Count: 1, Text: "completion_tokens 1000000000000"}), doubted(exobench.Doubt{Kind: exobench.HiddenReasoning, Said: 500, Seen: 20}),
	doubted(exobench.Doubt{Kind: exobench.OtherModel, Text: "other"}), doubted(exobench.Doubt{Kind: exobench.NotStreamed}), doubted(exobench.Doubt{Kind: exobench.Compressed, Text: "gzip"}),
	summary.TooFewRequests{N: 3, Least: 6}, summary.CacheSuspected{Share: 0.314},
	summary.FailedRequests{Failed: 3, Of: 5, Outcomes: []summary.OutcomeCount{{Outcome: exobench.HTTPError, N: 2}, {Outcome: exobench.Timeout, N: 1}}},
	summary.CountsMixed{Ways: []summary.CountedWay{{From: exobench.FromUsage, N: 5}, {From: exobench.FromEvents, N: 2}}, Used: exobench.FromUsage, N: 5},
	summary.CountsUnknown{N: 1, Of: 7}, summary.CachedAnswers{N: 2, Of: 7, Tokens: 12, Prompt: 30}, summary.CachedAnswers{N: 2, Of: 7}, summary.UncachedAnswers{N: 3, Of: 7}, summary.ModelReloaded{N: 1, Of: 8, Longest: 1234 * time.Millisecond}, summary.ModelReloaded{N: 15, Of: 15, Longest: 638 * time.Millisecond},
	summary.LengthsDiffer{Least: 5, Most: 11}, summary.SourcesMixed{Sources: []summary.MemorySource{summary.FromPSS, summary.FromNode}},
	summary.EngineShared{N: 4, Of: 7, Requests: 2}, summary.EngineShared{N: 1, Of: 7, AtWork: 1, Loading: true}, summary.EngineShared{Of: 7, Requests: 1, AtWork: 2},
	summary.ModelWasThere{Why: summary.ToldThere}, summary.ModelWasThere{Why: summary.OthersThere}, summary.ModelWasThere{Why: summary.NothingLoaded},
	summary.MemoryFell{Before: 300 << 20, Loaded: 200 << 20}, summary.MemoryFell{Before: 100 << 20, Loaded: 200 << 20, Peak: new(exobench.Bytes(190 << 20))}, summary.MemoryFell{Before: 300 << 20, Loaded: 200 << 20, Peak: new(exobench.Bytes(190 << 20))},
	summary.ProcessChanged{N: 2, Missed: 6}, summary.MemoryBeside{Counted: 9 << 20, Beside: 300 << 20}, summary.EngineIdle{Engine: 0.002, Others: 0.7},
	summary.PeakMissed{Read: 700 << 20, Kernel: 950 << 20}, summary.Swapped{Swap: 80 << 20, Loaded: 700 << 20},
	summary.CountsDiffer{Differ: 2, N: 8, Client: 11, Server: 12},
	summary.DecodeDiffers{Ratio: 0.93, Cause: summary.FirstTokenCounted, Tokens: 11}, summary.DecodeDiffers{Ratio: 0.8, Cause: summary.ReadsShared, SharedReads: 0.4},
	summary.DecodeDiffers{Ratio: 0.8, Cause: summary.FirstHeldBack, FirstGap: 5.25}, summary.DecodeDiffers{Ratio: 1.2, Cause: summary.AnswersShort, Tokens: 12},
	summary.DecodeDiffers{Ratio: 0.8, Cause: summary.ClientSlower}, summary.DecodeDiffers{Ratio: 1.2, Cause: summary.ServerTimeLonger},
	summary.PrefillFaster{Ratio: 1.3, Cause: summary.CachedUntold}, summary.PrefillFaster{Ratio: 1.3, Cause: summary.PromptDefined}, summary.PrefillFaster{Ratio: 1.3, Cause: summary.CacheOrDefined},
	summary.PrefillSlower{Ratio: 0.3, Cause: summary.RequestsWait, Extra: 44 * time.Millisecond, UnderWay: 4},
	summary.PrefillSlower{Ratio: 0.3, Cause: summary.RequestsWait, Extra: 440 * time.Millisecond, UnderWay: 5.9, AtOnce: 8, Tick: 100 * time.Millisecond},
	summary.PrefillSlower{Ratio: 0.3, Cause: summary.PromptsShort, Extra: 44 * time.Millisecond, PromptTokens: 20},
	summary.PrefillSlower{Ratio: 0.3, Cause: summary.WorkBefore, Extra: 44 * time.Millisecond, Tick: 100 * time.Millisecond},
	summary.HarnessError{Metric: metric.TTFT, Error: 51_700, Limit: 0.05}, summary.HarnessError{Metric: metric.InterChunkP50, Error: 51_700, Limit: 0.05},
	summary.FirstEventsLate{Share: 0.025, Limit: 0.01}, summary.TimeStolen{Share: 0.034, Limit: 0.02},
	summary.OthersBusy{Share: 0.12, Limit: 0.05, EngineSeen: true}, summary.OthersBusy{Share: 0.12, Limit: 0.05},
	summary.Hiccup{Stall: summary.Stall{Span: 41_234_567, Of: 500 * time.Millisecond, Share: 0.0825, Limit: 0.05}},
	summary.GarbagePause{Stall: summary.Stall{Span: 4_234_567, Of: 50 * time.Millisecond, Share: 0.0847, Limit: 0.05}},
	summary.CoreWait{Stall: summary.Stall{Span: 4_234_567, Of: 50 * time.Millisecond, Share: 0.0847, Limit: 0.05}},
	summary.HarnessBusy{Share: 0.4, Left: 0.6},
	summary.OnBattery{Charge: new(0.87)}, summary.OnBattery{}, summary.PowerSaved{Mode: "low-power"}, summary.PowerSaved{},
	summary.ClocksLow{Driver: "acpi-cpufreq", Governor: "powersave"}, summary.Hot{Says: "CPU speed limit 62 %"},
	summary.SwapInUse{Used: 5 << 30, Memory: 16 << 30}, summary.MemoryShort{Available: 1 << 30, Memory: 16 << 30},
	summary.GPUInUse{Share: 0.44, Limit: 0.15}, summary.CPUQuota{CPUs: 2, Cores: 16, From: "/sys/fs/cgroup/cpu.max"},
	summary.VirtualMachine{Hypervisor: "kvm"}, summary.VirtualMachine{Hypervisor: "unknown"},
	summary.AboveCeiling{Share: 1.31, Bandwidth: 12e9, From: exobench.BandwidthMeasured}, summary.AboveCeiling{Share: 1.31, Bandwidth: 400e9, From: exobench.BandwidthPublished},
	summary.AboveCeiling{Share: 1.31, Bandwidth: 80e9, From: exobench.BandwidthGiven}, summary.AboveCeiling{Share: 1.31, Bandwidth: 80e9, From: exobench.BandwidthGiven, Drafted: true},
	summary.SlowFirst{Metric: metric.TokenRate, N: 1, Loads: 1, Ratio: 0.7123, Noise: 0.021, Warmups: 2}, summary.SlowFirst{Metric: metric.Latency, N: 3, Loads: 4, Ratio: 1.42, Noise: 0.021, Warmups: 4},
	summary.SlowFirst{Metric: metric.Latency, N: 1, Loads: 1, Ratio: 1.42, Noise: 0.021},
	summary.Drift{Metric: metric.TokenRate, Change: -0.0712, P: 0.00012, N: 50, Loads: 1, Time: 92 * time.Second, Disturbed: true}, summary.Drift{Metric: metric.Latency, Change: 0.2, P: 1e-12, N: 50, Loads: 3, Time: 92 * time.Second},
	summary.Drift{Metric: metric.TokenRate, Change: 0.0712, P: 0.0005, N: 50, Loads: 1, Time: 92 * time.Second},
	summary.Drift{Metric: metric.TokenRate, Change: -0.37, P: 1e-9, N: 40, Loads: 40, Between: true, Time: 1000 * time.Second},
	summary.TwoModes{Metric: metric.TokenRate, Low: 17.23, High: 21.4, ShareHigh: 0.652, N: 50, P: 0.001, Changes: 17},
	summary.TwoModes{Metric: metric.Latency, Low: 1.723, High: 2.14, ShareHigh: 0.4, N: 50, P: 0.001, Changes: 1, Stretches: true, First: 31, After: 42_123 * time.Millisecond},
	summary.TwoModes{Metric: metric.Latency, Low: 1.723, High: 2.14, ShareHigh: 0.4, N: 50, P: 0.001, Changes: 3, Stretches: true, First: 31, After: 42_123 * time.Millisecond},
	summary.Outliers{N: 1, Of: 50, Metric: metric.TokenRate, Ratio: 0.48, Place: 23, Prompt: "b", Step: 1, After: 41_234 * time.Millisecond, Longer: 1234 * time.Millisecond, Pause: new(1201 * time.Millisecond), Waited: new(1199 * time.Millisecond)},
	summary.Outliers{N: 3, Of: 50, Metric: metric.Latency, Ratio: 2.48, Place: 23, Prompt: "b", Step: 1, After: 41_234 * time.Millisecond, Longer: 1234 * time.Millisecond, BeforeFirst: new(1100 * time.Millisecond), Disturbed: true},
	summary.Outliers{N: 1, Of: 50, Metric: metric.TokenRate, Ratio: 2.1, Place: 23, Prompt: "b", Step: 1, After: 41_234 * time.Millisecond},
	summary.UselessInterval{Metric: metric.TokenRate, Median: 20, Lo: 14.2, Hi: 31, HalfWidth: 0.42, Limit: 0.25, Aim: 0.05, Requests: 1240, Repeat: 248},
	summary.UselessInterval{Metric: metric.Latency, Median: 2, Lo: 1.1, Hi: 3.2, HalfWidth: 0.42, Limit: 0.25, Aim: 0.05, Loads: 7, Requests: 20},
	summary.UselessInterval{Metric: metric.Latency, Median: 2, Lo: 1.1, Hi: 3.2, HalfWidth: 0.42, Limit: 0.25, Aim: 0.05},
	summary.UselessInterval{Metric: metric.Latency, Median: 2, Lo: 1.1, Hi: 3.2, HalfWidth: 0.42, Limit: 0.25, Aim: 0.05, PromptsApart: true},
	summary.IdleNotIdle{Idle: 52.34, Measured: 41}, summary.PartAboveWhole{Part: "rapl package", PartWatts: 80, Whole: "csv:plug.csv", WholeWatts: 31.2},
}

func doubted(d exobench.Doubt) summary.Doubted { return summary.Doubted{N: 2, Of: 5, Doubt: d} }

func TestEveryDoubtHasASentence(t *testing.T) {
	for _, kind := range exobench.DoubtKinds {
		text := sentence(summary.Warning{Figures: doubted(exobench.Doubt{Kind: kind})})
		if strings.Contains(text, ": "+string(kind)) {
			t.Errorf("%s has no sentence of its own: %s", kind, text)
		}
	}
}

func TestEveryWarningIsASentence(t *testing.T) {
	var b strings.Builder
	var types []string
	for _, figures := range warnings {
		text := sentence(summary.Warning{Figures: figures})
		if strings.Contains(text, "%!") || !strings.ContainsAny(text[len(text)-1:], ".l") || strings.HasPrefix(text, ":") {
			t.Errorf("%T: %s", figures, text)
		}
		types = append(types, reflect.TypeOf(figures).Name())
		fmt.Fprintf(&b, "%T: %s\n", figures, text)
	}
	golden(t, "warnings.txt", []byte(b.String()))
	for name := range warningKinds(t) {
		if name, _, _ := strings.Cut(name, " "); !slices.Contains(types, name) {
			t.Errorf("summary.%s has no sentence here", name)
		}
	}
}
