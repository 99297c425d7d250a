package resource

import (
	"strings"
	"testing"
)

// BenchmarkSizes is the parsing of one status file.
func BenchmarkSizes(b *testing.B) {
	data := []byte("Name:\tx\n" + strings.Repeat("Other:\t1 2 3\n", 15) +
		"VmHWM:\t  400 kB\nVmRSS:\t  100 kB\nRssAnon:\t 60 kB\nRssFile:\t 30 kB\nRssShmem:\t 10 kB\nVmSwap:\t 70 kB\n")
	b.ReportAllocs()
	for b.Loop() {
		wanted := [...]wantedSize{{key: "VmRSS"}, {key: "RssAnon"}, {key: "RssFile"}, {key: "RssShmem"}, {key: "VmHWM"}, {key: "VmSwap"}}
		sizes(data, wanted[:])
	}
}
