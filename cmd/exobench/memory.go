package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"exobench"
	"exobench/resource"
	"exobench/run"
	"exobench/target/exo"
)

// treeMemory is the memory of a process tree.
type treeMemory struct{ pid int }

func (m treeMemory) Read(ctx context.Context) (exobench.Reading, error) {
	return resource.Tree{PID: m.pid}.Read(ctx)
}

// dear is what a reading of proportional sizes may cost to be taken during
// requests: reading may take 5 % of a core, and is wanted at 10 Hz or faster.
const dear = 5 * time.Millisecond

// Sample reads proportional sizes where that is quick, else resident ones.
func (m treeMemory) Sample(ctx context.Context, sink func(exobench.Reading)) func() error {
	tree := resource.Tree{PID: m.pid}
	began := time.Now()
	_, _ = tree.Read(ctx)
	tree.Resident = time.Since(began) > dear
	return sample(ctx, tree.Read, 0, sink)
}

func sample(ctx context.Context, read func(context.Context) (exobench.Reading, error), every time.Duration, sink func(exobench.Reading)) func() error {
	s := resource.StartSampler(ctx, read, every, sink)
	return func() error { s.Stop(); return s.Err() }
}

// nodeEvery is how often exo's figures for a whole node are asked for: exo
// renews them once a second.
const nodeEvery = 500 * time.Millisecond

// nodeMemory is exo's whole-node memory.
type nodeMemory struct{ *exo.Target }

func (m nodeMemory) Read(ctx context.Context) (exobench.Reading, error) { return m.ReadMemory(ctx) }

func (m nodeMemory) Sample(ctx context.Context, sink func(exobench.Reading)) func() error {
	return sample(ctx, m.ReadMemory, nodeEvery, sink)
}

// exoMemory reads exo's process tree where all of exo runs on this host, else
// what exo tells of its nodes.
func exoMemory(ctx context.Context, t *exo.Target, url string) (m run.Memory, pid int, notices []string) {
	nodes := len(t.Nodes())
	pid, err := resource.FindListener(ctx, hostPort(url))
	switch {
	case err == nil && nodes == 1:
		return treeMemory{pid}, pid, nil
	case err == nil:
		err = fmt.Errorf("exo has %d nodes", nodes)
	}
	return nodeMemory{t}, pid, []string{fmt.Sprintf("memory is that of whole nodes, whoever uses it (%v)", err)}
}

// listenerMemory reads the process tree of the server at the URL, if it can be
// seen.
func listenerMemory(ctx context.Context, rawURL string) (m run.Memory, pid int, notices []string) {
	pid, err := resource.FindListener(ctx, hostPort(rawURL))
	if err != nil {
		return nil, 0, []string{fmt.Sprintf("the engine's memory is not measured: %v", err)}
	}
	return treeMemory{pid}, pid, nil
}

// hostPort returns the host and port of a URL.
func hostPort(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return rawURL
	}
	if u.Port() != "" {
		return u.Host
	}
	if u.Scheme == "https" {
		return u.Host + ":443"
	}
	return u.Host + ":80"
}
