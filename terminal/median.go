package terminal

import "slices"

// median keeps the middle of the values added. It is asked for the value on
// each frame and gets a new one now and then, hence kept in order.
type median struct{ sorted []float64 }

func (m *median) add(v float64) {
	i, _ := slices.BinarySearch(m.sorted, v)
	m.sorted = slices.Insert(m.sorted, i, v)
}

// value returns the median; false where nothing was added.
func (m *median) value() (float64, bool) {
	n := len(m.sorted)
	if n == 0 {
		return 0, false
	}
	return (m.sorted[(n-1)/2] + m.sorted[n/2]) / 2, true
}
