package resource

import (
	"context"
	"os"
	"slices"

	"github.com/prometheus/procfs"
)

// ownedAlone returns the processes of a user whose open files may not be looked at,
// where they are all of one service or container, or one process and what it
// started: then it is one of them that holds the user's hidden socket. Of several
// such programs, and of root's, nothing is told.
func (t *processes) ownedAlone(ctx context.Context, uid uint64) []int {
	if uid == 0 {
		return nil
	}
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return nil
	}
	var own []int
	for pid := range t.all {
		if ctx.Err() != nil {
			return nil
		}
		if t.manages(pid) || t.all[pid].name == "(sd-pam)" || !ownedBy(proc, pid, uid) {
			continue
		}
		if _, err := os.ReadDir(procRoot("/proc").of(pid, "/fd")); os.IsPermission(err) {
			own = append(own, pid)
		}
	}
	slices.Sort(own)
	if len(own) == 0 {
		return nil
	}
	service := t.service(own[0])
	another := func(pid int) bool { return t.service(pid) != service }
	tops := t.tops(own)
	if len(tops) > 1 && (service == "" || slices.ContainsFunc(own, another)) {
		return nil
	}
	return tops
}

// ownedBy reports whether a process acts as a user.
func ownedBy(proc procfs.FS, pid int, uid uint64) bool {
	p, err := proc.Proc(pid)
	if err != nil {
		return false
	}
	status, err := p.NewStatus()
	return err == nil && slices.Contains(status.UIDs[:], uid)
}
