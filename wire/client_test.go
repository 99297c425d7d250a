package wire

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exobench"
)

// What thousands of streams leave is let go, and what a few leave is used again.
func TestIdleConnectionsAreFewBetweenLoads(t *testing.T) {
	var gate atomic.Pointer[sync.WaitGroup] // holds each answer until all have been asked
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		all := gate.Load()
		all.Done()
		all.Wait()
		io.WriteString(w, content("word")+terminate)
	}))
	defer server.Close()
	client := NewClient(Config{Clock: exobench.NewClock()})
	defer client.Close()
	load := func(streams int) {
		t.Helper()
		all := new(sync.WaitGroup)
		all.Add(streams)
		gate.Store(all)
		var under sync.WaitGroup
		for range streams {
			under.Go(func() {
				if r := client.Do(t.Context(), Call{URL: server.URL, Timeout: time.Minute}); r.Outcome != exobench.OK {
					t.Errorf("outcome %s %s", r.Outcome, r.Error)
				}
			})
		}
		under.Wait()
		client.Trim()
	}
	load(8)
	if n := client.open.Load(); n != 8 {
		t.Errorf("%d connections are kept of 8", n)
	}
	load(mostIdle + 1)
	for deadline := time.Now().Add(10 * time.Second); client.open.Load() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are open", client.open.Load())
		}
	}
	load(8)
}
