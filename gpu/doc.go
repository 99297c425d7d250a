// Package gpu reads what GPUs of this host do, and how much of their memory an
// engine's processes hold: a [Source] finds the GPUs and keeps reading them, and
// its [Sensor] gives the latest reading of each.
//
// NVIDIA's are read through nvidia-smi: one long-lived process for what devices do
// and one for what processes hold, whose lines are taken in as they come. AMD's and
// Intel's are read from files: those of the kernel's sysfs for devices, and DRM's
// fdinfo for processes.
//
//	source := gpu.Open(gpu.Config{Clock: clock})
//	defer source.Close()
//	...
//	samples, err := source.Sensor(members).Read(ctx, exobench.Before)
//
// It never guesses: what a driver does not tell is absent, not 0, and [Missing] says
// what would make a GPU readable.
package gpu
