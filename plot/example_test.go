package plot_test

import (
	"bytes"
	"fmt"
	"image/png"

	"exobench/plot"
)

func ExampleBars() {
	var picture bytes.Buffer
	err := plot.Bars(&picture, plot.Figure{
		Title: "Latency by model", Axis: "Latency (s), median", Series: []string{"concurrency 1"},
		Groups: []plot.Group{
			{Name: "llama-3.2-1b", Bars: []plot.Bar{{Value: 1.3, Interval: &plot.Interval{Lo: 1.2, Hi: 1.5}, Label: "1.30", Detail: "1.20–1.50"}}},
			{Name: "mistral-7b", Bars: []plot.Bar{{Missing: "failed"}}},
		},
	})
	if err != nil {
		panic(err)
	}
	config, _ := png.DecodeConfig(&picture)
	fmt.Println(config.Width, "×", config.Height)
	// Output: 1400 × 800
}
