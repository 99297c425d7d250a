package machine

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"strings"

	"exobench"
)

// memorySheet adds the kind of memory and its speed, where the system tells: the
// firmware's table, which only root may read, has both; the driver that counts
// errors (EDAC) the kind. It says in the sensors what it found.
func (s Source) memorySheet(h *exobench.Host) {
	state := exobench.SensorState{Name: "memory speed"}
	table, err := os.ReadFile(s.path("sys/firmware/dmi/tables/DMI"))
	if err == nil {
		h.MemoryType, h.MemorySpeed = modules(table)
	}
	if h.MemoryType == "" {
		h.MemoryType = s.edac()
	}
	switch {
	case h.MemorySpeed > 0:
		state.Found, state.Why = true, "told by the firmware (SMBIOS)"
	case errors.Is(err, fs.ErrPermission):
		state.Why, state.Enable = "the firmware's table is root's", "run exobench detect as root once, or dmidecode -t memory"
	case err != nil:
		state.Why = "this machine's firmware has no table of it"
	default:
		state.Why = "the firmware does not tell it"
	}
	h.Sensors = append(h.Sensors, state)
}

// edac returns the kind of memory that the first module has, by the driver that
// counts its errors: "Unbuffered-DDR4" is DDR4.
func (s Source) edac() string {
	for _, file := range s.glob("sys/devices/system/edac/mc/mc*/dimm*/dimm_mem_type") {
		text := s.text(file)
		if i := strings.Index(text, "DDR"); i >= 0 {
			return text[i:]
		}
	}
	return ""
}

// memoryTypes are names of SMBIOS 3.7, 7.18.2.
var memoryTypes = map[byte]string{
	0x14: "DDR2", 0x18: "DDR3", 0x1a: "DDR4", 0x1d: "LPDDR3", 0x1e: "LPDDR4", 0x20: "HBM", 0x21: "HBM2", 0x22: "DDR5", 0x23: "LPDDR5", 0x24: "HBM3",
}

// The places of what matters in a table of SMBIOS (DMTF DSP0134): in the header of
// each structure, and in that of a memory module (7.18).
const (
	moduleStructure = 17
	endStructure    = 127

	moduleSize       = 0x0c // 16 bits, 0 for an empty slot
	moduleType       = 0x12 // 8 bits
	moduleSpeed      = 0x15 // 16 bits, MT/s
	moduleConfigured = 0x20 // 16 bits, MT/s; since version 2.7
)

// modules returns the kind and the speed of the memory modules, in transfers per
// second; of several speeds the slowest, at which all of a machine run. What the
// table does not tell is empty or 0.
func modules(table []byte) (kind string, transfers float64) {
	for len(table) >= 4 {
		length := int(table[1])
		if length < 4 || length > len(table) {
			return kind, transfers
		}
		if table[0] == endStructure {
			break
		}
		if module := table[:length]; table[0] == moduleStructure && word(module, moduleSize) > 0 {
			if kind == "" && length > moduleType {
				kind = memoryTypes[module[moduleType]]
			}
			speed := word(module, moduleConfigured)
			if speed == 0 || speed == 0xffff {
				speed = word(module, moduleSpeed)
			}
			if per := float64(speed) * 1e6; speed > 0 && speed < 0xffff && (transfers == 0 || per < transfers) {
				transfers = per
			}
		}
		// Texts follow, each ended by a zero, and one more.
		end := strings.Index(string(table[length:]), "\x00\x00")
		if end < 0 {
			break
		}
		table = table[length+end+2:]
	}
	return kind, transfers
}

// word reads 16 bits; 0 where the structure is too short.
func word(structure []byte, at int) uint16 {
	if at+2 > len(structure) {
		return 0
	}
	return binary.LittleEndian.Uint16(structure[at:])
}
