package exo

import (
	"errors"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/driver"
	"exobench/driver/drivertest"
)

func TestTheTimeToSettleIsTheUsers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"90s": 90 * time.Second, "0s": 0, "5m": 5 * time.Minute} {
		c, err := configOf(exobench.EngineSpec{Name: "exo", Options: map[string]string{"settle-timeout": text}}, drivertest.Env(t))
		if err != nil || c.pace.settle != want {
			t.Errorf("%s: got %v, %v", text, c.pace.settle, err)
		}
	}
	if c, err := configOf(exobench.EngineSpec{Name: "exo"}, drivertest.Env(t)); err != nil || c.pace != usualPace {
		t.Errorf("left open: got %v, %v", c.pace, err)
	}
	for _, text := range []string{"soon", "90", "-1s", ""} {
		_, err := configOf(exobench.EngineSpec{Name: "exo", Options: map[string]string{"settle-timeout": text}}, drivertest.Env(t))
		if _, usage := errors.AsType[driver.UsageError](err); !usage || !strings.Contains(err.Error(), "--settle-timeout is") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
