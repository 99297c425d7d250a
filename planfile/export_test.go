package planfile

import (
	"maps"
	"slices"
)

// Comment returns the comment on a member of the plan.
func Comment(path string) string { return comments[path] }

// Commented returns the members that have a comment.
func Commented() []string { return slices.Sorted(maps.Keys(comments)) }
