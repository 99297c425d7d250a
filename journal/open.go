package journal

import (
	"bytes"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"exobench/internal/panics"
)

// ErrInUse is the error of a journal that another process writes.
var ErrInUse = errors.New("another exobench is writing this journal")

// lock keeps other processes from writing the file until it is closed. It ends
// with the process, however that ends. A file system without locks is no reason
// to fail.
func lock(file *os.File) error {
	if errors.Is(unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK) {
		return ErrInUse
	}
	return nil
}

// Open opens a journal to go on with it; its header stays as it is. Nothing is changed before the first
// Append, which cuts off a last line that was cut short in the writing.
func Open(path string) (*Writer, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return nil, err
	}
	w := newWriter(path, file)
	if err = lock(file); err == nil {
		err = w.findEnd()
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	w.done.Go(panics.Caught(w.watch))
	return w, nil
}

// findEnd finds where the last whole line ends, and what is to be done to the
// end of the file.
func (w *Writer) findEnd() error {
	info, err := w.file.Stat()
	if err != nil {
		return err
	}
	last, err := lastLine(w.file, info.Size())
	if err != nil {
		return err
	}
	w.size = info.Size() - int64(len(last))
	switch _, broken := unseal(bytes.Clone(last)); {
	case len(last) == 0:
	case broken == nil:
		// Only its newline is missing.
		w.mend = func() error {
			_, err := w.file.Write([]byte("\n"))
			w.size += int64(len(last)) + 1
			return err
		}
	default:
		w.mend = func() error { return w.file.Truncate(w.size) }
	}
	return nil
}

// lastLine returns what stands behind the last newline.
func lastLine(file io.ReaderAt, size int64) ([]byte, error) {
	const step = 64 << 10
	for span := min(size, step); ; span = min(size, 4*span, MaxLine+1) {
		text := make([]byte, span)
		if _, err := file.ReadAt(text, size-span); err != nil {
			return nil, err
		}
		if newline := bytes.LastIndexByte(text, '\n'); newline >= 0 {
			return text[newline+1:], nil
		}
		if span == size {
			return text, nil
		}
		if span > MaxLine {
			return nil, errTooLong
		}
	}
}
