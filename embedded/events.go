package embedded

import (
	"net/http"
	"time"
)

// keepAliveEvery is how long a stream is silent before it says that it is alive.
const keepAliveEvery = 10 * time.Second

// events writes an event stream; each event is on the wire when the call returns. A client that has gone is noticed through
// the request's context, not here.
type events struct {
	w http.ResponseWriter
	f *http.ResponseController
	b []byte
}

func newEvents(w http.ResponseWriter) *events {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("Connection", "close")
	h.Set("X-Accel-Buffering", "no")
	return &events{w: w, f: http.NewResponseController(w)}
}

func (e *events) send(prefix string, payload []byte) {
	e.b = append(e.b[:0], prefix...)
	e.b = append(e.b, payload...)
	e.b = append(e.b, "\n\n"...)
	_, _ = e.w.Write(e.b)
	_ = e.f.Flush()
}

func (e *events) data(v any)                 { e.send("data: ", encode(v)) }
func (e *events) done()                      { e.send("data: [DONE]", nil) }
func (e *events) keepAlive()                 { e.send(": keep-alive", nil) }
func (e *events) comment(name string, v any) { e.send(": "+name+" ", encode(v)) }
