package main

import (
	"os"
	"os/exec"
	"testing"
)

// BenchmarkStartUp runs exobench --help as a process, from its start to its end.
func BenchmarkStartUp(b *testing.B) {
	program, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := exec.Command(program, "--help").Run(); err != nil {
			b.Fatal(err)
		}
	}
}
