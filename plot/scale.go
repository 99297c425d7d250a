package plot

import (
	"math"
	"strconv"
)

// tick is a labelled value of the y axis.
type tick struct {
	value float64
	label string
}

// ticks returns three to seven round values from 0 up to top: multiples of 1,
// 2 or 5 times a power of ten.
func ticks(top float64) []tick {
	step := roundStep(top / 7)
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	var all []tick
	for i := 0; float64(i)*step <= top*(1+1e-9); i++ {
		value := float64(i) * step
		all = append(all, tick{value, tickLabel(value, decimals, top >= 10000)})
	}
	return all
}

// roundStep returns the least of 1, 2 or 5 times a power of ten that is no
// less than the step given.
func roundStep(step float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(step)))
	for _, digit := range []float64{1, 2, 5} {
		if digit*power >= step*(1-1e-9) {
			return digit * power
		}
	}
	return 10 * power
}

func tickLabel(value float64, decimals int, grouped bool) string {
	switch {
	case value == 0:
		return "0"
	case value >= 1e6 || decimals > 6:
		return strconv.FormatFloat(value, 'g', 3, 64)
	}
	digits := strconv.FormatFloat(value, 'f', decimals, 64)
	if !grouped || len(digits) < 4 {
		return digits
	}
	return digits[:len(digits)-3] + "," + digits[len(digits)-3:]
}
