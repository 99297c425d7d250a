package resource

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"reflect"
	"testing"
	"unsafe"

	"exobench"
)

// The places of the members of struct rusage_info_v4, counted in Apple's
// bsd/sys/resource.h (xnu; the same since macOS 10.13): after 16 bytes of ri_uuid
// there are 35 members of 64 bits, without gaps.
func TestTheStructureOfTheFootprintIsApples(t *testing.T) {
	var info rusageInfo
	if size := unsafe.Sizeof(info); size != 16+35*8 {
		t.Errorf("%d bytes, want 296", size)
	}
	for _, row := range []struct {
		member        string
		offset, place uintptr
	}{
		{"ri_user_time", unsafe.Offsetof(info.UserTime), 0},
		{"ri_wired_size", unsafe.Offsetof(info.WiredSize), 5},
		{"ri_resident_size", unsafe.Offsetof(info.ResidentSize), 6},
		{"ri_phys_footprint", unsafe.Offsetof(info.PhysFootprint), 7},
		{"ri_proc_start_abstime", unsafe.Offsetof(info.ProcStartAbsTime), 8},
		{"ri_proc_exit_abstime", unsafe.Offsetof(info.ProcExitAbsTime), 9},
		{"ri_child_user_time", unsafe.Offsetof(info.ChildUserTime), 10},
		{"ri_diskio_bytesread", unsafe.Offsetof(info.DiskBytesRead), 16},
		{"ri_cpu_time_qos_default", unsafe.Offsetof(info.CPUTimeQoS), 18},
		{"ri_billed_system_time", unsafe.Offsetof(info.BilledSystemTime), 25},
		{"ri_logical_writes", unsafe.Offsetof(info.LogicalWrites), 27},
		{"ri_lifetime_max_phys_footprint", unsafe.Offsetof(info.LifetimeMaxFootprint), 28},
		{"ri_interval_max_phys_footprint", unsafe.Offsetof(info.IntervalMaxFootprint), 33},
		{"ri_runnable_time", unsafe.Offsetof(info.RunnableTime), 34},
	} {
		if want := 16 + 8*row.place; row.offset != want {
			t.Errorf("%s is at %d, want %d", row.member, row.offset, want)
		}
	}
}

// answer is what the system writes for a process, by the places above.
func answer(resident, footprint, peak uint64) rusageInfo {
	raw := make([]byte, 296)
	for place, value := range map[int]uint64{6: resident, 7: footprint, 28: peak} {
		binary.LittleEndian.PutUint64(raw[16+8*place:], value)
	}
	var info rusageInfo
	if err := binary.Read(bytes.NewReader(raw), binary.LittleEndian, &info); err != nil {
		panic(err)
	}
	return info
}

func TestFootprintsOfATree(t *testing.T) {
	const mib = 1 << 20
	of := func(pid int) (rusageInfo, error) {
		switch pid {
		case 1:
			return answer(100*mib, 40*mib, 50*mib), nil
		case 2:
			return answer(300*mib, 8000*mib, 9000*mib), nil // what the GPU holds is not resident
		case 3:
			return rusageInfo{}, ErrGone
		case 4:
			return rusageInfo{}, errHidden
		case 5:
			return answer(10*mib, 7*mib, 6*mib), nil // counted a moment after its peak
		}
		return rusageInfo{}, errors.New("no such system call")
	}
	m, err := footprints(t.Context(), []int{1, 2, 3, 4, 5}, of)
	if err != nil {
		t.Fatal(err)
	}
	want := exobench.Values{
		{Quantity: exobench.Footprint, Value: 8047 * mib}, {Quantity: exobench.RSS, Value: 410 * mib},
		{Quantity: exobench.FootprintPeak, Value: 9057 * mib}, {Quantity: exobench.Processes, Value: 3},
	}
	if got := m.values(); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for pid, want := range map[int]error{3: ErrGone, 4: errHidden} {
		if _, err := footprints(t.Context(), []int{pid, 1}, of); !errors.Is(err, want) {
			t.Errorf("a root that cannot be read: %v, want %v", err, want)
		}
	}
	if _, err := footprints(t.Context(), []int{1, 9}, of); err == nil {
		t.Error("a call that fails is no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := footprints(ctx, []int{1}, of); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
