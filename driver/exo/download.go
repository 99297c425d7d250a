package exo

import (
	"context"
	"encoding/json"
	"fmt"

	"exobench"
	"exobench/driver/api"
)

// download is how far one node is with the files of one model.
type download struct {
	tag         string // such as "DownloadOngoing"; empty where exo lists none
	done, total exobench.Bytes
	rate        exobench.Bytes // per second
	message     string
}

func (d download) complete() bool { return d.tag == "DownloadCompleted" }
func (d download) failed() bool   { return d.tag == "DownloadFailed" }
func (d download) ongoing() bool  { return d.tag == "DownloadOngoing" }

// download reads how far a node is. exo answers with an entry for every model
// that it knows, about 100 KB: this is not for every tick.
func (e *Engine) download(ctx context.Context, node, modelID string) (download, error) {
	var entries []tagged
	err := e.api.Get(ctx, "/state/downloads"+api.Path(node), &entries)
	if api.Missing(err) {
		return download{}, nil
	}
	if err != nil {
		return download{}, err
	}
	for _, entry := range entries {
		if found, ok := parseDownload(entry, modelID); ok {
			return found, nil
		}
	}
	return download{}, nil
}

// parseDownload reads an entry if it is about the model.
func parseDownload(entry tagged, modelID string) (download, bool) {
	var body struct {
		Shard tagged `json:"shardMetadata"`
		counts
		Progress struct {
			counts
			Speed float64 `json:"speed"`
		} `json:"downloadProgress"`
		Message string `json:"errorMessage"`
	}
	var shard struct {
		Card struct {
			Model string `json:"modelId"`
		} `json:"modelCard"`
	}
	if json.Unmarshal(entry.body, &body) != nil || json.Unmarshal(body.Shard.body, &shard) != nil ||
		shard.Card.Model != modelID {
		return download{}, false
	}
	parsed := download{tag: entry.tag, message: body.Message}
	switch count := body.counts; {
	case parsed.ongoing():
		count = body.Progress.counts
		parsed.done, parsed.total = exobench.Bytes(count.Downloaded), exobench.Bytes(count.Total)
		parsed.rate = exobench.Bytes(body.Progress.Speed)
	case parsed.complete():
		parsed.done, parsed.total = exobench.Bytes(count.Total), exobench.Bytes(count.Total)
	default:
		parsed.done, parsed.total = exobench.Bytes(count.Downloaded), exobench.Bytes(count.Total)
	}
	return parsed, true
}

type counts struct {
	Downloaded size `json:"downloaded"`
	Total      size `json:"total"`
}

// downloads is how far all nodes of an instance are, summed.
type downloads struct {
	complete    int // nodes that have everything
	ongoing     int // nodes that are fetching
	listed      int // nodes of which exo says anything
	done, total exobench.Bytes
	rate        exobench.Bytes
}

func (d *downloads) add(node download) {
	if node.tag != "" {
		d.listed++
	}
	if node.complete() {
		d.complete++
	}
	if node.ongoing() {
		d.ongoing++
	}
	d.done += node.done
	d.total += node.total
	d.rate += node.rate
}

func (d downloads) event() exobench.StageEvent {
	return exobench.StageEvent{
		Stage: exobench.StageDownload, Downloaded: d.done, DownloadTotal: d.total, DownloadRate: d.rate,
	}
}

// progress says where a stalled download stopped.
func (d downloads) progress() string {
	if d.total == 0 {
		return "it has not begun"
	}
	return fmt.Sprintf("at %v of %v", d.done, d.total)
}
