package resource

// rusageInfo is struct rusage_info_v4 of macOS (bsd/sys/resource.h of Apple's
// xnu, since macOS 10.13): what proc_pid_rusage fills in for RUSAGE_INFO_V4. Sizes
// are in bytes. Later versions only add to its end.
type rusageInfo struct {
	UUID                 [16]byte
	UserTime             uint64
	SystemTime           uint64
	PkgIdleWakeups       uint64
	InterruptWakeups     uint64
	Pageins              uint64
	WiredSize            uint64
	ResidentSize         uint64
	PhysFootprint        uint64
	ProcStartAbsTime     uint64
	ProcExitAbsTime      uint64
	ChildUserTime        uint64
	ChildSystemTime      uint64
	ChildPkgIdleWakeups  uint64
	ChildInterrupts      uint64
	ChildPageins         uint64
	ChildElapsedAbsTime  uint64
	DiskBytesRead        uint64
	DiskBytesWritten     uint64
	CPUTimeQoS           [7]uint64 // default, maintenance, background, utility, legacy, user initiated, user interactive
	BilledSystemTime     uint64
	ServicedSystemTime   uint64
	LogicalWrites        uint64
	LifetimeMaxFootprint uint64
	Instructions         uint64
	Cycles               uint64
	BilledEnergy         uint64
	ServicedEnergy       uint64
	IntervalMaxFootprint uint64
	RunnableTime         uint64
}

// rusageInfoV4 is the version of rusageInfo (RUSAGE_INFO_V4).
const rusageInfoV4 = 4
