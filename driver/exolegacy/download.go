package exolegacy

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"exobench"
)

// fetched is how much of a model's files is on exo's disk, as far as it says.
type fetched struct {
	done, total exobench.Bytes
	rate        exobench.Bytes // bytes/s
}

func (f fetched) event() exobench.StageEvent {
	return exobench.StageEvent{Stage: exobench.StageDownload, Downloaded: f.done, DownloadTotal: f.total, DownloadRate: f.rate}
}

// stored looks for the model among those that exo compares with its disk. exo
// tells them one by one, in no order; false where it did not tell in time.
func (e *engine) stored(ctx context.Context, id string) (fetched, bool) {
	if e.inference == dummy {
		return fetched{}, true // it has no files
	}
	ctx, cancel := context.WithTimeout(ctx, e.pace.look)
	defer cancel()
	for line, err := range e.api.Lines(ctx, http.MethodGet, "/modelpool", nil) {
		if err != nil {
			break
		}
		data, ok := bytes.CutPrefix(line, []byte("data: "))
		if !ok {
			continue
		}
		var models map[string]struct {
			Total exobench.Bytes `json:"total_size"`
			Done  exobench.Bytes `json:"total_downloaded"`
		}
		if json.Unmarshal(data, &models) != nil {
			continue
		}
		if m, ok := models[id]; ok {
			return fetched{done: m.Done, total: m.Total}, true
		}
	}
	return fetched{}, false
}

// downloading sums what the nodes have under way for the model; false where
// there is none.
func (e *engine) downloading(ctx context.Context, id string) (sum fetched, under bool, err error) {
	var nodes map[string]struct {
		Shard struct {
			ModelID string `json:"model_id"`
		} `json:"shard"`
		Done  exobench.Bytes `json:"downloaded_bytes"`
		Total exobench.Bytes `json:"total_bytes"`
		Speed float64        `json:"overall_speed"`
	}
	if err := e.api.Get(ctx, "/v1/download/progress", &nodes); err != nil {
		return fetched{}, false, err
	}
	for _, n := range nodes {
		if n.Shard.ModelID == id && n.Done < n.Total {
			sum.done += n.Done
			sum.total += n.Total
			sum.rate += exobench.Bytes(n.Speed)
			under = true
		}
	}
	return sum, under, nil
}
