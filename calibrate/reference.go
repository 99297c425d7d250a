package calibrate

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"exobench"
	"exobench/reference"
)

// behindTime bounds a question that the reference answers at once.
const behindTime = 5 * time.Second

// behind asks the reference how late it was since the last time.
func behind(ctx context.Context, cfg Config) (reference.Behind, error) {
	ctx, cancel := context.WithTimeout(ctx, behindTime)
	defer cancel()
	fail := func(err error) (reference.Behind, error) {
		return reference.Behind{}, fmt.Errorf("ask the reference how late it was: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(cfg.URL, "/")+"/reference/behind", nil)
	if err != nil {
		return fail(err)
	}
	for name, values := range cfg.Header {
		request.Header[name] = values
	}
	// A connection of its own, which is not kept.
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fail(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fail(fmt.Errorf("it answered %s", response.Status))
	}
	var b reference.Behind
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<16)).Decode(&b); err != nil {
		return fail(err)
	}
	return b, nil
}

// drift is how far the clocks of the reference and of the harness may move apart
// during a calibration. They are one clock on Linux; elsewhere the system steers
// only one of them.
const drift = int64(time.Millisecond)

// between returns the offset for what happened between two measurements.
func between(a, b exobench.Offset) (exobench.Offset, error) {
	apart := b.Value - a.Value
	if apart > drift || apart < -drift {
		return exobench.Offset{}, fmt.Errorf("the clocks moved apart by %v: the machine slept or its time was set", time.Duration(apart))
	}
	return exobench.Offset{Value: a.Value + apart/2, Width: max(a.Width, b.Width)}, nil
}
