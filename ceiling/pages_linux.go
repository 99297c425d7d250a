package ceiling

import "golang.org/x/sys/unix"

// inHugePages asks for large pages, as they are used where the kernel has them:
// with small ones, what is read of page tables counts too. Where it has none,
// nothing is lost.
func inHugePages(memory []byte) { _ = unix.Madvise(memory, unix.MADV_HUGEPAGE) }
