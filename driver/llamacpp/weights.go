package llamacpp

import (
	"context"
	"os"
	"path/filepath"

	"exobench"
	"exobench/driver"
	"exobench/gguf"
)

// Weights returns the model's file, and the formats of the cache that the server
// was told.
func (s *started) Weights(_ context.Context, m exobench.Model) driver.Weights {
	s.mu.Lock()
	path := s.files[m.ID]
	s.mu.Unlock()
	if path == "" {
		return driver.Weights{}
	}
	w := driver.Weights{File: path, Here: true}
	w.Key = s.launch.cacheFormat("--cache-type-k", "-ctk")
	w.Value = s.launch.cacheFormat("--cache-type-v", "-ctv")
	return w
}

// cacheFormat returns the bytes of a number in the format of an argument; 0 where
// it is not given.
func (l launch) cacheFormat(names ...string) float64 {
	format, _ := l.given(names...)
	size, _ := gguf.BytesPerValue(format)
	return size
}

// Weights returns the server's file where it is one of this host, and what the
// server says of its size.
func (a *attached) Weights(context.Context, exobench.Model) driver.Weights {
	server := a.session.server
	w := driver.Weights{Size: server.Size, Here: a.seen.PID() != 0}
	if path := server.ModelPath; w.Here && filepath.IsAbs(path) {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			w.File = path
		}
	}
	return w
}
