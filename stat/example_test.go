package stat_test

import (
	"fmt"

	"exobench/stat"
)

func ExampleSample_MedianInterval() {
	s := stat.NewSample([]float64{1.31, 1.28, 1.35, 1.30, 1.29, 1.27})
	median, _ := s.Median()
	iv, _, _ := s.MedianInterval(stat.Confidence)
	fmt.Printf("%.3f [%.2f, %.2f] at %.1f %%\n", median, iv.Lo, iv.Hi, 100*iv.Confidence)
	// Output: 1.295 [1.27, 1.35] at 96.9 %
}
