package ollama

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"exobench"
	"exobench/internal/panics"
)

// reportEvery is the least time between two reports of a download.
const reportEvery = time.Second

// pulled is a line of the answer to a pull.
type pulled struct {
	Status    string         `json:"status"`
	Digest    string         `json:"digest"`
	Total     exobench.Bytes `json:"total"`
	Completed exobench.Bytes `json:"completed"`
	Error     string         `json:"error"`
}

// pull has the server fetch a model, and lists its models anew.
func (e *engine) pull(ctx context.Context, id string, report func(exobench.StageEvent)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := time.AfterFunc(e.times.pull, panics.Caught(func() {
		cancel(fmt.Errorf("nothing new of it for %v", e.times.pull))
	}))
	defer stalled.Stop()
	d := &download{layers: map[string]*pulled{}, begun: time.Now(), report: report}
	err := e.pullTo(ctx, id, func(line pulled) {
		if d.take(line) {
			stalled.Reset(e.times.pull)
		}
	})
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return fmt.Errorf("download %s: %w", id, err)
	}
	return e.list(ctx)
}

func (e *engine) pullTo(ctx context.Context, id string, take func(pulled)) error {
	for text, err := range e.client.Lines(ctx, http.MethodPost, "/api/pull", map[string]any{"model": id, "stream": true}) {
		if err != nil {
			return err
		}
		var line pulled
		if err := json.Unmarshal(text, &line); err != nil {
			return fmt.Errorf("read its progress: %w", err)
		}
		if line.Error != "" {
			return errors.New(line.Error)
		}
		if line.Status == "success" {
			return nil
		}
		take(line)
	}
	return errors.New("Ollama stopped telling of it before its end")
}

// download is a pull under way.
type download struct {
	layers   map[string]*pulled
	status   string
	had      exobench.Bytes // of completed bytes, those that were there before
	begun    time.Time
	reported time.Time
	report   func(exobench.StageEvent)
}

// take notes a line, reports it where that is due, and returns whether it has
// news.
func (d *download) take(line pulled) bool {
	news := line.Status != d.status
	d.status = line.Status
	if line.Digest == "" {
		if news {
			d.tell(line.Status)
		}
		return news
	}
	layer := d.layers[line.Digest]
	if layer == nil {
		layer = &pulled{}
		d.layers[line.Digest] = layer
		d.had += line.Completed
	}
	news = news || line.Completed != layer.Completed
	*layer = line
	if time.Since(d.reported) >= reportEvery {
		d.tell("")
	}
	return news
}

// tell reports the download as it stands. Its total grows as layers come up.
func (d *download) tell(detail string) {
	d.reported = time.Now()
	event := exobench.StageEvent{Stage: exobench.StageDownload, Detail: strings.TrimSpace(detail)}
	for _, layer := range d.layers {
		event.Downloaded += layer.Completed
		event.DownloadTotal += layer.Total
	}
	if took := time.Since(d.begun).Seconds(); took > 0 {
		event.DownloadRate = exobench.Bytes(float64(event.Downloaded-d.had) / took)
	}
	d.report(event)
}
