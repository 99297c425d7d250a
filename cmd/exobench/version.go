package main

import "runtime/debug"

// release is the version of the source.
const release = "0.1.0"

// version returns the release, with the commit where the build knows it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	revision, modified := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 9:
			revision = "+" + s.Value[:9]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "-modified"
		}
	}
	if revision == "" {
		return release
	}
	return release + revision + modified
}
