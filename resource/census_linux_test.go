package resource

import (
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// A census that goes on says what a walk says.
func TestACensusSaysWhatAWalkSays(t *testing.T) {
	root := newEngine(t)
	c := newCensus()
	tree := Tree{PID: root.pid}
	check := func(when string, want int) {
		t.Helper()
		var got, walked []int
		for range 100 { // what was killed ends a moment later
			got, walked = must(c.list(t.Context(), tree)), must(listTree(t.Context(), tree))
			slices.Sort(got)
			slices.Sort(walked)
			if slices.Equal(got, walked) && len(got) == want {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Errorf("%s: %v, and a walk says %v; want %d", when, got, walked, want)
	}
	check("at first", 1)
	root.order("fork")
	check("a child", 2)
	root.order("give fork")
	root.order("give give fork")
	check("its child and grandchild", 4)
	grandchild := must(strconv.Atoi(root.order("give give pid")))
	left := must(strconv.Atoi(root.order("give give give pid")))
	root.order("give give give stay")
	root.order("give give leave") // its own child is left to init
	check("the middle one is a zombie, and its child init's", 3)
	if members := must(c.list(t.Context(), tree)); slices.Contains(members, left) || !slices.Contains(members, grandchild) {
		t.Errorf("%v has %d, which is no longer its, or lacks the zombie %d", members, left, grandchild)
	}
	syscall.Kill(left, syscall.SIGKILL)

	other := newEngine(t)
	tree = Tree{PID: other.pid, Also: []int{root.pid}, Without: []int{must(strconv.Atoi(root.order("give pid")))}}
	check("another tree, less one", 2)
	root.order("fork")
	check("and a child of it", 3)
	root.order("give fork")
	check("and of that", 4)
}
