//go:build amd64 && !noasm

package decoder

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

var kernels gonum.Implementation

// gemv sets y = scale·A·x; A has rows of length cols.
func gemv(rows, cols int, scale float32, a, x, y []float32) {
	kernels.Sgemv(blas.NoTrans, rows, cols, scale, a, cols, x, 1, 0, y, 1)
}

// gemvTrans adds Aᵀ·x to y; A has rows of length cols.
func gemvTrans(rows, cols int, a, x, y []float32) {
	kernels.Sgemv(blas.Trans, rows, cols, 1, a, cols, x, 1, 1, y, 1)
}
