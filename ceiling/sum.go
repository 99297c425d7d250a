package ceiling

import "encoding/binary"

const (
	// line is the size of a line of the cache, the least that memory moves; some
	// processors have larger ones.
	line = 64
	// block is what the loops below go by: 16 lines.
	block = 16 * line
)

// sum adds up the first eight bytes of each line. Memory moves whole lines, so
// every byte counts as read, and few instructions are between a thread and its
// bandwidth. The sums are apart so that no addition waits for another; the
// compiler keeps the loads, since what they come to is returned and compared.
func sum(memory []byte) uint64 {
	var a, b, c, d uint64
	for ; len(memory) >= block; memory = memory[block:] {
		m := memory[:block:block]
		a += word(m, 0) + word(m, 4)
		b += word(m, 1) + word(m, 5)
		c += word(m, 2) + word(m, 6)
		d += word(m, 3) + word(m, 7)
		a += word(m, 8) + word(m, 12)
		b += word(m, 9) + word(m, 13)
		c += word(m, 10) + word(m, 14)
		d += word(m, 11) + word(m, 15)
	}
	return a + b + c + d
}

// word is the first word of a line.
func word(m []byte, n int) uint64 { return binary.LittleEndian.Uint64(m[n*line:]) }

// touch writes to each page, of the smallest size that there is, and so has it
// put where it is read.
func touch(memory []byte) uint64 {
	const page = 4096
	for i := 0; i < len(memory); i += page {
		memory[i] = byte(i/page) | 1
	}
	return 0
}
