//go:build !amd64 || noasm

package decoder

// gonum has assembly for amd64 only; its plain loops are slower than the
// portable kernels.

func gemv(rows, cols int, scale float32, a, x, y []float32) {
	portableGemv(rows, cols, scale, a, x, y)
}

func gemvTrans(rows, cols int, a, x, y []float32) {
	portableGemvTrans(rows, cols, a, x, y)
}
