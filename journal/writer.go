package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"exobench"
)

// Name is the journal's file name in a result folder.
const Name = "journal.jsonl"

const syncEvery = time.Second

// Writer appends entries to a journal. It is safe for concurrent use.
type Writer struct {
	mu    sync.Mutex
	file  *os.File
	dirty bool
	// err is the first failure; after it nothing more is written, since a torn
	// line may stand at the end of the file.
	err error

	stop chan struct{}
	done sync.WaitGroup
}

// Create makes a new journal at path and writes the header. The file must not
// exist yet.
func Create(path string, header *exobench.Header) (*Writer, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	w := &Writer{file: file, stop: make(chan struct{})}
	if err := w.Append(header); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	w.done.Go(w.syncLoop)
	return w, nil
}

// Append writes one entry. After a failed write every further call returns its
// error; an entry that cannot be written at all, such as one of a type that is
// not in the table, is an error of that call alone.
func (w *Writer) Append(entry exobench.Entry) error {
	kind, err := kindOf(entry)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	line, err := encode(kind, entry)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	if _, err := w.file.Write(line); err != nil {
		w.err = fmt.Errorf("write the journal: %w", err)
		return w.err
	}
	w.dirty = true
	if kind.milestone(entry) {
		w.sync()
	}
	return w.err
}

// Close syncs and closes the file. It does not write an End.
func (w *Writer) Close() error {
	close(w.stop)
	w.done.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sync()
	return errors.Join(w.err, w.file.Close())
}

func (w *Writer) syncLoop() {
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-tick.C:
			w.syncOutside()
		}
	}
}

// syncOutside syncs without holding the lock, so that no request waits for the
// disk.
func (w *Writer) syncOutside() {
	w.mu.Lock()
	due := w.dirty && w.err == nil
	w.dirty = false
	w.mu.Unlock()
	if !due {
		return
	}
	if err := w.file.Sync(); err != nil {
		w.mu.Lock()
		w.fail(err)
		w.mu.Unlock()
	}
}

func (w *Writer) sync() {
	if !w.dirty || w.err != nil {
		return
	}
	w.dirty = false
	if err := w.file.Sync(); err != nil {
		w.fail(err)
	}
}

func (w *Writer) fail(err error) {
	if w.err == nil {
		w.err = fmt.Errorf("sync the journal: %w", err)
	}
}

// encode returns the entry's line: its JSON object with "type" put first.
func encode(k *kind, entry exobench.Entry) ([]byte, error) {
	object, err := json.Marshal(entry)
	if err != nil {
		return nil, err
	}
	if object[0] != '{' {
		return nil, fmt.Errorf("an entry of type %T is %s", entry, object)
	}
	line := make([]byte, 0, len(object)+24)
	line = append(line, `{"type":"`...)
	line = append(line, k.name...)
	line = append(line, `",`...)
	line = append(line, object[1:]...)
	return append(line, '\n'), nil
}
