package gpu

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// page holds what a file of the kernel's has to say: none that is read here is
// longer. A reading may open a file for each of many processes several times a
// second, and os.ReadFile makes twice as many system calls.
type page [8192]byte

// read reads a file into the page and returns what it holds, without the spaces
// around it.
func (p *page) read(path string) ([]byte, error) {
	fd, err := uninterrupted(func() (int, error) { return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	n, err := uninterrupted(func() (int, error) { return unix.Read(fd, p[:]) })
	if err != nil {
		return nil, err
	}
	return bytes.TrimSpace(p[:n]), nil
}

func uninterrupted(do func() (int, error)) (n int, err error) {
	for err = unix.EINTR; err == unix.EINTR; {
		n, err = do()
	}
	return n, err
}
