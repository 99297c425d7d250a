package power

import (
	"path/filepath"
	"testing"

	"exobench"
)

// BenchmarkReading reads all meters of a server that has one of each kind: two
// processors with memory, a power meter of the board, and a battery. The counters
// are read ten times a second, the rest once. Files of a temporary folder stand in
// for sysfs, whose files cost about as much.
func BenchmarkReading(b *testing.B) {
	files := server()
	files["hwmon0/name"], files["hwmon0/power1_average"] = "power_meter", "183000000\n"
	files["BAT0/type"], files["BAT0/status"], files["BAT0/power_now"] = "Battery", "Discharging", "9500000\n"
	root := b.TempDir()
	for name, content := range files {
		writeFile(b, filepath.Join(root, name), content)
	}
	for name, r := range map[string]Roots{
		"rapl": {Powercap: root}, "hwmon": {Hwmon: root}, "battery": {Supply: root}, "all": {Powercap: root, Hwmon: root, Supply: root},
	} {
		b.Run(name, func(b *testing.B) {
			s, _ := Open(r, exobench.NewClock())
			defer s.Close()
			b.ReportAllocs()
			for b.Loop() {
				for _, m := range s.meters {
					m.last = 0
				}
				if _, err := s.Read(b.Context(), exobench.During); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
