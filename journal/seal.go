package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"
)

// MaxLine is how long a line may be, its newline not counted. A Writer refuses
// an entry that would be longer, and a Reader skips a line that is, without
// keeping it.
const MaxLine = 64 << 20

// A line is sealed by its last member, the checksum of all bytes before its
// comma: CRC-32C, which finds every change within 32 bits in a row and costs a
// hundredth of reading the line.
const (
	sealKey    = `,"crc":"`
	sealDigits = 2 * crc32.Size
	sealLength = len(sealKey) + sealDigits + len(`"}`)
)

// castagnoli is made where it is needed: it would cost every start of the program
// a third of a millisecond.
var castagnoli = sync.OnceValue(func() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) })

// seal returns the line of an object: the object, with the checksum as its last
// member, and a newline. The object's space is used.
func seal(object []byte) []byte {
	open := object[:len(object)-1] // without its closing brace
	line := append(open, sealKey...)
	line = append(line, digits(open)...)
	return append(line, '"', '}', '\n')
}

// digits returns the checksum of a text as a line has it.
func digits(text []byte) []byte {
	var sum [crc32.Size]byte
	var written [sealDigits]byte
	binary.BigEndian.PutUint32(sum[:], crc32.Checksum(text, castagnoli()))
	hex.Encode(written[:], sum[:])
	return written[:]
}

// What is wrong with a line that is not as it was written.
var (
	errUnsealed = errors.New("it does not end in a checksum")
	errChanged  = errors.New("its checksum is of another text: it was changed")
	errTooLong  = fmt.Errorf("it is longer than the %d MiB that a line may have", MaxLine>>20)
)

// unseal checks a line, without its newline, and returns its object without the
// checksum, in the same space: the line itself is changed.
func unseal(line []byte) ([]byte, error) {
	open := len(line) - sealLength
	if len(line) > MaxLine {
		return nil, errTooLong
	}
	if open < 1 || !bytes.Equal(line[open:open+len(sealKey)], []byte(sealKey)) || !bytes.HasSuffix(line, []byte(`"}`)) {
		return nil, errUnsealed
	}
	var sum [crc32.Size]byte
	written := line[open+len(sealKey) : len(line)-2]
	binary.BigEndian.PutUint32(sum[:], crc32.Checksum(line[:open], castagnoli()))
	for i, b := range sum {
		if written[2*i] != hexDigits[b>>4] || written[2*i+1] != hexDigits[b&15] {
			return nil, errChanged
		}
	}
	line[open] = '}'
	return line[:open+1], nil
}

// hexDigits are those of a checksum. Upper case would be another text.
const hexDigits = "0123456789abcdef"
