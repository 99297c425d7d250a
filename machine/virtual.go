package machine

import "strings"

// Unknown is the hypervisor of which only that it is there is known.
const Unknown = "unknown"

// hypervisors are known by how the texts of their firmware begin; a later row
// with the same text does not count. The places are those that systemd-detect-virt
// looks at.
var hypervisors = []struct{ text, name string }{
	{"KVM", "kvm"}, {"OpenStack", "kvm"}, {"KubeVirt", "kvm"}, {"Amazon EC2", "amazon"}, {"QEMU", "qemu"},
	{"VMware", "vmware"}, {"VMW", "vmware"}, {"innotek GmbH", "virtualbox"}, {"VirtualBox", "virtualbox"}, {"Oracle Corporation", "virtualbox"},
	{"Xen", "xen"}, {"Bochs", "bochs"}, {"Parallels", "parallels"}, {"BHYVE", "bhyve"}, {"Hyper-V", "hyper-v"}, {"Apple Virtualization", "apple"},
	{"Google Compute Engine", "google"}, {"Hetzner vServer", "kvm"}, {"Alibaba Cloud ECS", "kvm"}, {"Virtual Machine", "hyper-v"},
}

// virtual names the hypervisor that the machine runs on; empty where it seems to
// run on none.
func (s Source) virtual() string {
	if strings.Contains(strings.ToLower(s.text("proc/sys/kernel/osrelease")), "microsoft") {
		return "wsl"
	}
	if name := s.firmware(); name != "" {
		return name
	}
	if kind := s.text("sys/hypervisor/type"); kind != "" {
		return kind
	}
	if compatible := s.text("proc/device-tree/hypervisor/compatible"); compatible != "" {
		return strings.TrimPrefix(strings.SplitN(compatible, "\x00", 2)[0], "linux,")
	}
	clocks := s.text("sys/devices/system/clocksource/clocksource0/available_clocksource")
	for _, known := range []struct{ clock, name string }{{"kvm-clock", "kvm"}, {"hyperv", "hyper-v"}, {"xen", "xen"}} {
		if strings.Contains(clocks, known.clock) {
			return known.name
		}
	}
	for line := range strings.Lines(s.text("proc/cpuinfo")) {
		if name, flags, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "flags" {
			if strings.Contains(flags+" ", " hypervisor ") || strings.HasSuffix(strings.TrimSpace(flags), " hypervisor") {
				return Unknown
			}
			return ""
		}
	}
	return ""
}

// firmware knows a hypervisor by what the firmware calls the machine. Machines of
// Amazon without a hypervisor say so in their product's name (m7g.metal).
func (s Source) firmware() string {
	for _, file := range []string{"product_name", "sys_vendor", "board_vendor", "bios_vendor", "product_version"} {
		text := s.text("sys/class/dmi/id/" + file)
		for _, known := range hypervisors {
			if !strings.HasPrefix(text, known.text) {
				continue
			}
			if known.name == "amazon" && strings.Contains(s.text("sys/class/dmi/id/product_name"), ".metal") {
				return ""
			}
			return known.name
		}
	}
	return ""
}

// containers are known by parts of the names of their control groups.
var containers = []struct{ part, name string }{
	{"kubepods", "kubernetes"}, {"docker", "docker"}, {"libpod", "podman"}, {"lxc", "lxc"}, {"containerd", "containerd"}, {"machine.slice/systemd-nspawn", "systemd-nspawn"},
}

// container names what contains exobench; empty where nothing seems to.
func (s Source) container() string {
	if s.Getenv != nil && s.Getenv("KUBERNETES_SERVICE_HOST") != "" {
		return "kubernetes"
	}
	if name := s.text("run/systemd/container"); name != "" {
		return name
	}
	groups := s.text("proc/self/cgroup")
	for _, known := range containers {
		if strings.Contains(groups, known.part) {
			return known.name
		}
	}
	for _, mark := range []struct{ file, name string }{{".dockerenv", "docker"}, {"run/.containerenv", "podman"}} {
		if s.there(mark.file) {
			return mark.name
		}
	}
	return ""
}
