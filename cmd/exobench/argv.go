package main

import (
	"strings"
	"unsafe"
)

// withoutSecrets returns the arguments of the process, and overwrites those of
// their values that may be secret where the list of processes has them from, which
// is where the strings of os.Args themselves lie: on Linux and macOS, ps shows
// the memory that the kernel put them into. A list that lies elsewhere is left as
// it is.
//
// For the first milliseconds of the process they can be seen; a value that stands
// in an environment variable never can, but by who has the same user.
func withoutSecrets(args []string) []string {
	kept := make([]string, len(args))
	for i, arg := range args {
		kept[i] = strings.Clone(arg)
	}
	if !asGiven(args) {
		return kept
	}
	for i, from := range secretArguments(kept) {
		for j := from; j < len(args[i]); j++ {
			*(*byte)(unsafe.Add(unsafe.Pointer(unsafe.StringData(args[i])), j)) = '*'
		}
	}
	return kept
}

// asGiven reports whether the arguments lie as the kernel puts them: one behind the
// other, each ended by a zero. No other strings do.
func asGiven(args []string) bool {
	for i := 1; i < len(args); i++ {
		before, here := unsafe.StringData(args[i-1]), unsafe.StringData(args[i])
		if before == nil || here == nil || uintptr(unsafe.Pointer(before))+uintptr(len(args[i-1]))+1 != uintptr(unsafe.Pointer(here)) {
			return false
		}
	}
	return len(args) > 1
}

// secretArguments returns which arguments have something to hide, and from which of
// their bytes on.
func secretArguments(args []string) map[int]int {
	hide := map[int]int{}
	for i := 1; i < len(args); i++ {
		// A variant of --ab has flags of its own.
		if url := strings.Index(args[i], "--url"); url > 0 && strings.ContainsAny(args[i][url:], "@?") {
			hide[i] = url + len("--url")
		}
		flag, value, joined := strings.Cut(args[i], "=")
		at, from := i, len(flag)+1
		if !joined {
			if i+1 == len(args) {
				break
			}
			at, from, value = i+1, 0, args[i+1]
		}
		secret := -1
		switch flag {
		case "--header":
			// Its name may be shown.
			secret = strings.Index(value, ":") + 1
			if fromVariable.MatchString(strings.TrimSpace(value[secret:])) {
				secret = -1
			}
		case "--url":
			if strings.ContainsAny(value, "@?") {
				secret = 0
			}
		case "--token":
			if !strings.HasPrefix(value, "$") {
				secret = 0
			}
		}
		if secret >= 0 && (at != i || joined) {
			hide[at] = from + secret
		}
	}
	return hide
}
