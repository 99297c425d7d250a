package resource

import (
	"os"
	"testing"

	"exobench"
)

// Not run on this project's machines, which are none of Apple's.
func TestOurOwnFootprint(t *testing.T) {
	values, err := Tree{PID: os.Getpid()}.Read(t.Context())
	footprint, told := values.Get(exobench.Footprint)
	peak, _ := values.Get(exobench.FootprintPeak)
	if err != nil || !told || footprint < 1<<20 || peak < footprint {
		t.Errorf("%v, %v", values, err)
	}
	if _, err := rusageOf(1 << 30); err != ErrGone {
		t.Errorf("a process that is none: %v", err)
	}
	if _, err := rusageOf(1); os.Getuid() != 0 && err != errHidden {
		t.Errorf("launchd: %v", err)
	}
}
