package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"exobench"
	"exobench/internal/panics"
)

// Name is the journal's file name in a result folder.
const Name = "journal.jsonl"

const syncEvery = time.Second

// Options say how a journal is kept.
type Options struct {
	// Private keeps everybody but the file's owner from reading it.
	Private bool
}

// Writer appends entries to a journal. It is safe for concurrent use.
type Writer struct {
	mu      sync.Mutex // of what follows
	trouble func(Trouble)
	path    string
	file    *os.File
	dirty   bool
	// size is where the last whole line ends.
	size int64
	// mend, where set, makes the end of the file fit for the first line.
	mend func() error
	// err is the first failure; after it nothing more is written. told is set
	// once a caller has it.
	err  error
	told bool

	closed atomic.Bool
	stop   chan struct{}
	done   sync.WaitGroup
}

// Create makes a new journal at path and writes the header. The file must not
// exist yet; where the header cannot be written it does not exist afterwards.
func Create(path string, header *exobench.Header, o Options) (*Writer, error) {
	mode := fs.FileMode(0o644)
	if o.Private {
		mode = 0o600
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, mode)
	if err != nil {
		return nil, err
	}
	w := newWriter(path, file)
	err = lock(file)
	if err == nil {
		err = w.Append(header)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close(), os.Remove(path))
	}
	w.done.Go(panics.Caught(w.watch))
	return w, nil
}

func newWriter(path string, file *os.File) *Writer {
	// A run may outlive the folder that it was started in, and paths that begin
	// there.
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	return &Writer{path: path, file: file, stop: make(chan struct{})}
}

// OnTrouble has somebody told, within a second, what became of the file from
// outside and what was done about it. It is called from a goroutine of the
// Writer's own, or from Close, and may append.
func (w *Writer) OnTrouble(told func(Trouble)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trouble = told
}

// Path returns where the journal is now. It changes only where something else
// took the file away.
func (w *Writer) Path() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.path
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
	w.write(line)
	if kind.milestone(entry) {
		w.sync()
	}
	w.told = w.told || w.err != nil
	return w.err
}

// write appends a line. Where the disk is full, say, the part of it that was
// written is taken away again, so that the file ends in a whole line.
func (w *Writer) write(line []byte) {
	if w.err == nil && w.mend != nil {
		if err := w.mend(); err != nil {
			w.err = fmt.Errorf("mend the end of the journal: %w", err)
		}
		w.mend = nil
	}
	if w.err != nil {
		return
	}
	if _, err := w.file.Write(line); err != nil {
		w.err = fmt.Errorf("write the journal: %w", err)
		_ = w.file.Truncate(w.size) // what is left is a torn line, which readers know
		return
	}
	w.size += int64(len(line))
	w.dirty = true
}

// Close syncs and closes the file, and looks a last time whether it is still
// there. It does not write an End. It returns what failed and no Append has
// returned. A second Close does nothing.
func (w *Writer) Close() error {
	if w.closed.Swap(true) {
		return nil
	}
	close(w.stop)
	w.done.Wait()
	w.look()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sync()
	err := w.err
	if w.told {
		err = nil
	}
	w.told = true
	return errors.Join(err, w.file.Close())
}

// watch syncs the file while there is something new, and looks after it.
func (w *Writer) watch() {
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-tick.C:
			w.syncOutside()
			w.look()
		}
	}
}

// syncOutside syncs without holding the lock, so that no request waits for the
// disk.
func (w *Writer) syncOutside() {
	w.mu.Lock()
	due := w.dirty && w.err == nil
	w.dirty = false
	file := w.file
	w.mu.Unlock()
	if !due {
		return
	}
	if err := file.Sync(); err != nil {
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

// encode returns the entry's line: its JSON object with "type" put first and the
// checksum last.
func encode(k *kind, entry exobench.Entry) ([]byte, error) {
	object, err := json.Marshal(entry)
	if err != nil {
		return nil, err
	}
	if object[0] != '{' {
		return nil, fmt.Errorf("an entry of type %T is %s", entry, object)
	}
	line := make([]byte, 0, len(object)+24+sealLength)
	line = append(line, `{"type":"`...)
	line = append(line, k.name...)
	line = append(line, `",`...)
	line = seal(append(line, object[1:]...))
	if len(line)-1 > MaxLine {
		return nil, fmt.Errorf("an entry of type %s takes %d MiB: it may take %d", k.name, len(line)>>20, MaxLine>>20)
	}
	return line, nil
}
