package calibrate

import (
	"math"
	"time"

	"exobench"
	"exobench/metric"
	"exobench/stat"
)

// compare computes the errors of a whole round.
func (r *round) compare(o exobench.Offset) exobench.Calibration {
	c := exobench.Calibration{Events: r.Streams * r.tokens}
	lag := make([]float64, 0, c.Events)
	gaps := make([]float64, 0, c.Events)
	var ttft, latency, rate, slip []float64
	for i := range r.records {
		record, samples := &r.records[i], r.samples[i]
		truth := trueRecord(record, samples, o)
		for k, s := range samples {
			e := float64(s.at - truth.Chunks[k].At)
			lag = append(lag, e)
			if k > 0 {
				gaps = append(gaps, math.Abs(e-lag[len(lag)-2]))
			}
		}
		ttft = appendError(ttft, metric.TTFT, record, truth)
		latency = appendError(latency, metric.Latency, record, truth)
		rate = appendRelative(rate, metric.TokenRate, record, truth)
		slip = append(slip, float64(record.Sent.Sub(record.Scheduled)))
		c.Kernel = c.Kernel || record.Delays != nil
	}
	lags := stat.NewSample(lag)
	c.LagP50, c.LagP99, c.LagMax = span(lags, 0.5), span(lags, 0.99), span(lags, 1)
	c.TTFTP50, c.TTFTP99 = sizes(ttft)
	c.InterChunkP50, c.InterChunkP99 = sizes(gaps)
	c.LatencyP50, c.LatencyP99 = sizes(latency)
	c.SlipP50, c.SlipP99 = sizes(slip)
	c.TokenRate, _ = stat.NewSample(rate).Median()
	return c
}

// trueRecord returns the record with the reference's instants in place of ours. The
// instant of the request is the harness's own.
func trueRecord(record *exobench.Record, samples []sample, o exobench.Offset) *exobench.Record {
	t := *record
	t.Chunks = make(exobench.Chunks, len(samples))
	for i, s := range samples {
		t.Chunks[i] = exobench.Chunk{At: o.Instant(s.emitted), Bytes: record.Chunks[i].Bytes}
	}
	first, last := t.Chunks[0].At, t.Chunks[len(samples)-1].At
	t.FirstChunk, t.FirstToken, t.FirstAnswer = first, first, first
	t.LastToken, t.Done = last, last
	return &t
}

// appendError appends the size of a metric's error, in nanoseconds.
func appendError(errors []float64, name string, record, truth *exobench.Record) []float64 {
	got, want, ok := both(name, record, truth)
	if !ok {
		return errors
	}
	return append(errors, math.Abs(got-want)*float64(time.Second))
}

func appendRelative(errors []float64, name string, record, truth *exobench.Record) []float64 {
	got, want, ok := both(name, record, truth)
	if !ok || want == 0 {
		return errors
	}
	return append(errors, (got-want)/want)
}

func both(name string, record, truth *exobench.Record) (got, want float64, ok bool) {
	m, known := metric.ByName(name)
	if !known {
		panic("there is no metric " + name)
	}
	got, one := m.Value(record)
	want, other := m.Value(truth)
	return got, want, one && other
}

func sizes(errors []float64) (p50, p99 time.Duration) {
	s := stat.NewSample(errors)
	return span(s, 0.5), span(s, 0.99)
}

func span(s stat.Sample, p float64) time.Duration {
	v, _ := s.Quantile(p)
	return time.Duration(math.Round(v))
}
