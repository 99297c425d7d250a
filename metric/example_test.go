package metric_test

import (
	"fmt"

	"exobench"
	"exobench/metric"
)

func ExampleByName() {
	m, _ := metric.ByName(metric.TTFT)
	ttft, known := m.Value(&exobench.Record{Sent: 1e9, FirstToken: 1.25e9})
	fmt.Println(m.Title, ttft, m.Unit, known)
	// Output: TTFT 0.25 s true
}
