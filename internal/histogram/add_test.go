package histogram

import (
	"testing"
	"time"
)

func TestAddingHistogramsIsRecordingAll(t *testing.T) {
	var one, other, all Histogram
	for i := range 1000 {
		d := time.Duration(i*i) * time.Microsecond
		all.Record(d)
		if i%3 == 0 {
			one.Record(d)
		} else {
			other.Record(d)
		}
	}
	one.Add(&other)
	if one != all {
		t.Errorf("%d of %v in place of %d of %v", one.Count(), one.Max(), all.Count(), all.Max())
	}
}
