package embedded

import (
	"net/http"
	"time"
)

// keepAliveEvery is how long a stream is silent before it says that it is
// alive.
const keepAliveEvery = 10 * time.Second

// events writes an event stream; each event is on the wire when the call
// returns. A client that has gone is noticed through the request's context, not
// here.
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

// chunk is one token of a stream. Fields that exo would write as null are left
// out.
type chunk struct {
	ID      string        `json:"id"`
	Object  string        `json:"object"`
	Created int64         `json:"created"`
	Model   string        `json:"model"`
	Choices []chunkChoice `json:"choices"`
	Usage   *usage        `json:"usage,omitempty"`
}

type chunkChoice struct {
	Index        int    `json:"index"`
	Delta        delta  `json:"delta"`
	FinishReason string `json:"finish_reason,omitempty"`
}

// stream writes a task's events as they come. It ends without [DONE] when the
// task is canceled or its instance deleted.
func stream(w http.ResponseWriter, r *http.Request, t *task) {
	out := newEvents(w)
	out.keepAlive()
	silence := time.NewTimer(keepAliveEvery)
	defer silence.Stop()
	for {
		select {
		case e := <-t.events:
			if out.write(t, e) {
				return
			}
		case <-silence.C:
			out.keepAlive()
		case <-t.gone:
			return
		case <-r.Context().Done():
			t.cancel()
			return
		}
		silence.Reset(keepAliveEvery)
	}
}

// write writes one event of a task and reports whether it was the last.
func (e *events) write(t *task, next event) (last bool) {
	switch {
	case next.progress != nil:
		e.comment("prefill_progress", tagged{"PrefillProgressChunk", next.progress})
		return false
	case next.failure != "":
		e.data(fault{faultText{next.failure, "InternalServerError", http.StatusInternalServerError}})
		e.done()
		return true
	}
	c := chunk{
		ID: t.command, Object: "chat.completion", Created: time.Now().Unix(), Model: t.chat.Model,
		Choices: []chunkChoice{{Delta: delta{"assistant", next.text}}},
	}
	if next.ending == nil {
		e.data(c)
		return false
	}
	c.Choices[0].FinishReason = next.ending.reason
	c.Usage = &next.ending.usage
	e.data(c)
	e.comment("generation_stats", next.ending.stats)
	e.done()
	return true
}
