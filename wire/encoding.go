package wire

import (
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"exobench"
)

// errEncoding is that an answer is encoded in a way that it cannot be read.
var errEncoding = errors.New("the answer is encoded")

// decoded returns the body without the compression that some servers apply though
// it is not asked for. What is read of it then is no longer what the connection
// brought byte for byte; the instants are those of the reads that completed it.
func (x *exchange) decoded(response *http.Response) (io.Reader, error) {
	encoding := strings.ToLower(strings.TrimSpace(response.Header.Get("Content-Encoding")))
	var open func(io.Reader) (io.Reader, error)
	switch encoding {
	case "", "identity", "none", "utf-8":
		return response.Body, nil
	case "gzip", "x-gzip":
		open = func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }
	case "deflate":
		open = func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }
	default:
		return nil, fmt.Errorf("%w by %s, which was not asked for and cannot be read", errEncoding, oneLine([]byte(encoding)))
	}
	x.plain = false
	body, err := open(response.Body)
	if errors.Is(err, io.EOF) {
		return response.Body, nil // an empty body is empty in any encoding
	}
	if err != nil {
		return nil, x.undecodable(encoding, err)
	}
	doubtOf(&x.record, exobench.Compressed).Text = encoding
	return &decoder{x, body, encoding}, nil
}

// undecodable says that an answer is not what its encoding says, unless it was
// the connection that failed.
func (x *exchange) undecodable(encoding string, err error) error {
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, zlib.ErrHeader) {
		return fmt.Errorf("%w by %s, and is damaged: %v", errEncoding, encoding, err)
	}
	return err
}

// decoder says of an error what it means.
type decoder struct {
	exchange *exchange
	body     io.Reader
	encoding string
}

func (d *decoder) Read(p []byte) (int, error) {
	n, err := d.body.Read(p)
	if err != nil && err != io.EOF {
		err = d.exchange.undecodable(d.encoding, err)
	}
	return n, err
}
