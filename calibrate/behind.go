package calibrate

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"exobench/reference"
)

// behindTime bounds a question that the reference answers at once.
const behindTime = 5 * time.Second

// behind asks the reference how late it was since the last time.
func behind(ctx context.Context, url string) (reference.Behind, error) {
	ctx, cancel := context.WithTimeout(ctx, behindTime)
	defer cancel()
	fail := func(err error) (reference.Behind, error) {
		return reference.Behind{}, fmt.Errorf("ask the reference how late it was: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(url, "/")+"/reference/behind", nil)
	if err != nil {
		return fail(err)
	}
	// A connection of its own that stays behind for nobody.
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
