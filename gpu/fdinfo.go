package gpu

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A process that uses a GPU has files of /dev/dri open, and the kernel tells in
// /proc/PID/fdinfo/FD what each holds (Documentation/gpu/drm-usage-stats.rst):
//
//	drm-driver:	amdgpu
//	drm-client-id:	7
//	drm-pdev:	0000:03:00.0
//	drm-resident-vram:	1234 KiB
//
// A client may have several files open, also in several processes; its id tells
// that they are one.

// openFiles are the files of DRM devices that processes have open.
type openFiles struct {
	infos []string // the paths of their fdinfo
	// hidden is set where the files of a process may not be looked at.
	hidden bool
}

// find looks through the open files of processes; proc is the root of the file
// system of that name. What ends on the way is left out.
func (o *openFiles) find(proc string, pids []int) {
	o.infos, o.hidden = o.infos[:0], false
	for _, pid := range pids {
		folder := filepath.Join(proc, strconv.Itoa(pid), "fd")
		dir, err := os.Open(folder)
		if errors.Is(err, fs.ErrPermission) {
			o.hidden = true
		}
		if err != nil {
			continue
		}
		names, _ := dir.Readdirnames(-1)
		dir.Close()
		for _, name := range names {
			target, err := os.Readlink(filepath.Join(folder, name))
			if err == nil && strings.HasPrefix(target, "/dev/dri/") {
				o.infos = append(o.infos, filepath.Join(proc, strconv.Itoa(pid), "fdinfo", name))
			}
		}
	}
}

// client is a client of a DRM device.
type client struct{ device, id string }

// usage is what a client holds, in bytes: in memory of the GPU's own, and in the
// host's. told is set where the driver tells of memory at all.
type usage struct {
	own, host float64
	told      bool
}

// read returns what each client holds now.
func (o *openFiles) read() map[client]usage {
	all := make(map[client]usage, len(o.infos))
	var page page
	for _, path := range o.infos {
		data, err := page.read(path)
		if err != nil {
			continue
		}
		if c, u := clientOf(data); c.device != "" {
			all[c] = u
		}
	}
	return all
}

// kinds are what drivers tell of a region of memory, the one that counts first:
// what is there now, what an older driver calls that, and what was asked for.
var kinds = [...]string{"drm-resident-", "drm-memory-", "drm-total-"}

// clientOf reads one fdinfo.
func clientOf(data []byte) (client, usage) {
	var c client
	type region struct {
		name string
		size [len(kinds)]float64
		told [len(kinds)]bool
	}
	var space [8]region
	regions := space[:0]
	for line := range bytes.Lines(data) {
		key, value, found := bytes.Cut(line, []byte{':'})
		if !found || !bytes.HasPrefix(key, []byte("drm-")) {
			continue
		}
		value = bytes.TrimSpace(value)
		switch string(key) {
		case "drm-pdev":
			c.device = string(value)
			continue
		case "drm-client-id":
			c.id = string(value)
			continue
		}
		for k, prefix := range kinds {
			name, ok := bytes.CutPrefix(key, []byte(prefix))
			size, known := number(value, 1)
			if !ok || !known {
				continue
			}
			i := 0
			for i < len(regions) && regions[i].name != string(name) {
				i++
			}
			if i == len(regions) {
				regions = append(regions, region{name: string(name)})
			}
			regions[i].size[k], regions[i].told[k] = size, true
		}
	}
	var u usage
	for _, r := range regions {
		for k := range kinds {
			if !r.told[k] {
				continue
			}
			u.told = true
			switch {
			case strings.HasPrefix(r.name, "vram") || strings.HasPrefix(r.name, "local"):
				u.own += r.size[k]
			case r.name != "cpu": // which is not bound to the GPU
				u.host += r.size[k]
			}
			break
		}
	}
	return c, u
}

// held returns what clients hold on a device; with the host's memory where it is
// the GPU's too. It is not known where a client's driver does not tell.
func held(all map[client]usage, device string, unified bool) (float64, bool) {
	sum := 0.0
	for c, u := range all {
		switch {
		case c.device != device:
		case !u.told:
			return 0, false
		default:
			sum += u.own
			if unified {
				sum += u.host
			}
		}
	}
	return sum, true
}
