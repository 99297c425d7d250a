package gpu

import (
	"context"
	"strings"

	"exobench"
)

// part is a line of nvidia-smi -L: a device, or a part of the device before it.
type part struct {
	name, uuid string
	of         string // the device's UUID; empty for a device
}

// listed reads the output of nvidia-smi -L:
//
//	GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5c89852c-…)
//	  MIG 3g.20gb     Device  0: (UUID: MIG-c7384736-…)
func listed(text string) []part {
	var all []part
	device := ""
	for line := range strings.Lines(text) {
		head, uuid, found := strings.Cut(strings.TrimSpace(line), "(UUID: ")
		uuid = strings.TrimSuffix(uuid, ")")
		if !found || !isUUID([]byte(uuid)) {
			continue
		}
		kind, name, _ := strings.Cut(head, ":")
		p := part{name: strings.TrimSpace(name), uuid: uuid}
		if strings.HasPrefix(kind, "MIG") {
			p.of, p.name = device, strings.Join(strings.Fields(kind)[:min(2, len(strings.Fields(kind)))], " ")
		} else {
			device = uuid
		}
		all = append(all, p)
	}
	return all
}

// parents returns the device of each part.
func parents(all []part) map[string]string {
	of := map[string]string{}
	for _, p := range all {
		if p.of != "" {
			of[p.uuid] = p.of
		}
	}
	return of
}

// describe asks nvidia-smi once what devices there are.
func describe(ctx context.Context, path string) ([]exobench.GPU, error) {
	out, err := once(ctx, path, "--query-gpu=uuid,driver_version,memory.total,name", "--format=csv,noheader")
	if err != nil {
		return nil, err
	}
	var all []exobench.GPU
	for line := range strings.Lines(out) {
		cells, ok := fields(nil, []byte(line), 4)
		if !ok || !isUUID(cells[0]) {
			continue
		}
		g := exobench.GPU{ID: string(cells[0]), Name: string(cells[3]), Driver: string(cells[1])}
		if size, known := number(cells[2], 1<<20); known {
			g.Memory = exobench.Bytes(size)
		} else {
			g.Unified = unified(g.Name)
		}
		all = append(all, g)
	}
	parts, err := once(ctx, path, "-L")
	if err != nil {
		return all, nil
	}
	for _, p := range listed(parts) {
		for i := range all {
			if p.of == all[i].ID {
				all[i].MIG = append(all[i].MIG, p.name+" ("+p.uuid+")")
			}
		}
	}
	return all, nil
}

// heldOf asks nvidia-smi once how much memory is held of each device, by its UUID,
// in bytes.
func heldOf(ctx context.Context, path string) (map[string]exobench.Bytes, error) {
	out, err := once(ctx, path, "--query-gpu=uuid,memory.used", "--format=csv,noheader")
	if err != nil {
		return nil, err
	}
	all := map[string]exobench.Bytes{}
	for line := range strings.Lines(out) {
		cells, ok := fields(nil, []byte(line), 2)
		if !ok || !isUUID(cells[0]) {
			continue
		}
		if held, known := number(cells[1], 1<<20); known {
			all[string(cells[0])] = exobench.Bytes(held)
		}
	}
	return all, nil
}

// unifiedNames are in the names of NVIDIA's GPUs that work in the host's memory.
var unifiedNames = []string{"GB10", "Orin", "Xavier", "Thor", "Tegra", "nvgpu"}

// unified reports whether a GPU whose memory the driver does not tell works in the
// host's: it is not told of one that a container hides either.
func unified(name string) bool {
	for _, known := range unifiedNames {
		if strings.Contains(name, known) {
			return true
		}
	}
	return false
}
