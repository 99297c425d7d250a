package gpu

import (
	"os"
	"path/filepath"
)

// Missing is a GPU, or a figure of one, that cannot be read.
type Missing struct {
	What string `json:"what"`
	Why  string `json:"why"`
	// Enable says what would make it readable; empty where nothing is known.
	Enable string `json:"enable,omitempty"`
}

// String says all of it in a sentence without its end.
func (m Missing) String() string {
	text := m.What + " cannot be read: " + m.Why
	if m.Enable != "" {
		text += ": " + m.Enable
	}
	return text
}

// unseen says whether there is a GPU of NVIDIA's that cannot be read: nvidia-smi
// told of n, or failed. Without a trace of a GPU it fails for want of one.
func unseen(c Config, n int, failed error) []Missing {
	trace := nvidiaTrace(c)
	switch {
	case n > 0 || trace == "":
		return nil
	case c.Path != "" && failed != nil:
		return []Missing{{"NVIDIA GPU", "nvidia-smi fails: " + failed.Error(),
			"make nvidia-smi work: load the driver that it belongs to, or give the container its GPUs (docker run --gpus all)"}}
	case c.Path != "":
		return []Missing{{"NVIDIA GPU", trace + ", and nvidia-smi shows none",
			"give the container its GPUs (docker run --gpus all)"}}
	}
	return []Missing{{"NVIDIA GPU", trace + ", and there is no nvidia-smi",
		"put nvidia-smi in the PATH: it comes with the driver; a container has it where NVIDIA_DRIVER_CAPABILITIES holds \"utility\""}}
}

// nvidiaTrace returns what shows that there is a GPU of NVIDIA's; empty where
// nothing does.
func nvidiaTrace(c Config) string {
	for _, path := range []struct{ path, text string }{
		{filepath.Join(c.Dev, "nvidia0"), "there is /dev/nvidia0"},
		{filepath.Join(c.Proc, "driver/nvidia/version"), "NVIDIA's driver is loaded (/proc/driver/nvidia)"},
		{filepath.Join(c.Dev, "dxg"), "Windows lends a GPU (/dev/dxg)"},
	} {
		if _, err := os.Stat(path.path); err == nil {
			return path.text
		}
	}
	devices, _ := filepath.Glob(filepath.Join(c.Sys, "bus/pci/devices/*"))
	for _, device := range devices {
		// The class 0x03 is that of what displays, with or without a screen.
		if class := textOf(filepath.Join(device, "class")); textOf(filepath.Join(device, "vendor")) == nvidiaVendor && len(class) > 4 && class[:4] == "0x03" {
			return "there is a GPU of NVIDIA's at PCI address " + filepath.Base(device)
		}
	}
	return ""
}
