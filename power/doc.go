// Package power reads the power and the energy that this machine draws: the
// counters of its processors (RAPL, through the powercap tree of sysfs), hwmon
// devices, batteries, macmon on Macs, and the log of a meter outside.
//
// A [Sensor] reads all meters of this machine that can be read, and tells of each
// what its figures are of: an [exobench.Meter]. Those that are there and cannot be
// read, or that could be had, are [Missing], with what would enable them. A [Log]
// is what a meter outside wrote, read when the run is over.
//
// The package works out no figure of a request: that is done by package summary,
// from the samples and the Meters in the journal. What a GPU draws is told by the
// sensor "gpu", what exo's nodes draw by exo.
//
// Sources: the kernel's Documentation/power/powercap/powercap.rst,
// Documentation/ABI/testing/sysfs-class-power and
// Documentation/hwmon/sysfs-interface.rst; for macmon the output of its 0.7 and
// 0.8.
package power
