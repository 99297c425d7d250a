package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Trouble is what something else did to the file of a journal while it was being
// written.
type Trouble struct {
	// What says what happened, in a sentence.
	What string
	// Saved is where the journal is now, whole, where it had to be saved anew;
	// else empty.
	Saved string
	// Lost is set where entries are lost. Nothing more is written then.
	Lost bool
}

// LostError is the error of a Writer whose file lost entries by what something
// else did to it.
type LostError struct{ What string }

func (e *LostError) Error() string { return e.What }

// look looks whether the file is where it should be and as long as it should
// be, and does what it can where it is not.
func (w *Writer) look() {
	if trouble, told := w.check(); trouble != nil && told != nil {
		told(*trouble)
	}
}

// check returns the trouble, if any, and who is to be told.
func (w *Writer) check() (*Trouble, func(Trouble)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.inspect(), w.trouble
}

func (w *Writer) inspect() *Trouble {
	if w.err != nil || w.mend != nil {
		return nil
	}
	open, err := w.file.Stat()
	if err != nil {
		return nil // a disk that fails shows in the next write
	}
	there, err := os.Stat(w.path)
	switch {
	case open.Size() < w.size:
		return w.lost(fmt.Sprintf("something else cut the journal %s from %d to %d bytes: what it held after that is lost", w.path, w.size, open.Size()))
	case errors.Is(err, fs.ErrPermission):
		return nil // its folder cannot be looked into, which says nothing
	case err != nil:
		return w.rescue("the journal " + w.path + " was deleted or moved while it was being written")
	case !os.SameFile(open, there):
		return w.rescue("another file was put in the place of the journal " + w.path)
	}
	if open.Size() > w.size {
		grown := open.Size() - w.size
		w.size = open.Size()
		return &Trouble{What: fmt.Sprintf("something else wrote %d bytes into the journal %s", grown, w.path)}
	}
	return nil
}

// lost ends the writing: what would follow could not be understood.
func (w *Writer) lost(what string) *Trouble {
	w.err = &LostError{what}
	return &Trouble{What: what, Lost: true}
}

// rescue puts what was written back to where it was, or beside it where that is
// taken, from the file that is still open.
func (w *Writer) rescue(what string) *Trouble {
	var first error
	for _, path := range w.refuges() {
		err := w.save(path)
		if err == nil {
			w.path = path
			return &Trouble{What: what, Saved: path}
		}
		if first == nil {
			first = err
		}
	}
	return w.lost(fmt.Sprintf("%s, and could not be saved anew: %v", what, first))
}

// refuges are where a journal may be saved anew, the best first.
func (w *Writer) refuges() []string {
	folder := filepath.Dir(w.path)
	paths := []string{w.path}
	for n := 1; n <= 9; n++ {
		suffix := "-saved"
		if n > 1 {
			suffix += "-" + strconv.Itoa(n)
		}
		paths = append(paths, filepath.Join(folder+suffix, Name))
	}
	return append(paths, filepath.Join(os.TempDir(), filepath.Base(folder)+"-saved-"+strconv.Itoa(os.Getpid()), Name))
}

// save gives the open file another name, or copies it to one where it has none
// left. Nothing that stands there is touched.
func (w *Writer) save(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	open := "/proc/self/fd/" + strconv.Itoa(int(w.file.Fd()))
	if unix.Linkat(unix.AT_FDCWD, open, unix.AT_FDCWD, path, unix.AT_SYMLINK_FOLLOW) == nil {
		return nil
	}
	return w.copy(path)
}

// copy copies the open file, and goes on with the copy.
func (w *Writer) copy(path string) error {
	info, err := w.file.Stat()
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, info.Mode().Perm())
	if err != nil {
		return err
	}
	if err = lock(file); err == nil {
		_, err = io.Copy(file, io.NewSectionReader(w.file, 0, w.size))
	}
	if err == nil {
		err = file.Sync()
	}
	if err != nil {
		return errors.Join(err, file.Close(), os.Remove(path))
	}
	_ = w.file.Close() // nobody can reach it any more
	w.file = file
	return nil
}
