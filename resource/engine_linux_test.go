package resource

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"exobench"
)

const anyPort = "127.0.0.1:0"

// seen is what is found at an address: how much memory is counted, and how much
// stands beside, in MiB.
func seen(t *testing.T, address string) (e Engine, counted, beside exobench.Bytes) {
	t.Helper()
	e, err := FindEngine(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	for _, tree := range e.beside(t.Context()) {
		beside += tree.resident(t.Context())
	}
	return e, e.Tree.resident(t.Context()) / mib, beside / mib
}

// near allows for what the test binary itself takes in up to four processes.
func near(t *testing.T, what string, got, want exobench.Bytes) {
	t.Helper()
	if got < want || got > want+100 {
		t.Errorf("%s: %d MiB, want %d and some", what, got, want)
	}
}

func noted(t *testing.T, e Engine, part string) {
	t.Helper()
	if text := strings.Join(e.Notices(), "\n"); !strings.Contains(text, part) {
		t.Errorf("noted is %q, want %q in it", text, part)
	}
}

func TestAnEngineAlone(t *testing.T) {
	engine := newEngine(t)
	address := engine.order("listen " + anyPort)
	engine.order("touch 150")
	other := newEngine(t) // another server that was started from here
	other.order("listen " + anyPort)
	other.order("touch 200")
	e, counted, beside := seen(t, address)
	near(t, "counted", counted, 150)
	if len(e.Notices()) != 0 || beside != 0 || counted >= 300 || e.Tree.PID != engine.pid {
		t.Errorf("found %+v with %d MiB beside, notes %q", e, beside, e.Notices())
	}
}

func TestTheEngineBesideAFrontEndIsCounted(t *testing.T) {
	for _, row := range []struct {
		why, fork string
	}{
		{"both in the launcher's process group", "fork"},
		{"each in one of its own", "fork group"},
	} {
		launcher := newEngine(t)
		launcher.order(row.fork) // the front end
		address := launcher.order("first listen " + anyPort)
		engine := launcher.order(row.fork)
		launcher.order("give touch 300")
		e, counted, _ := seen(t, address)
		near(t, row.why, counted, 300)
		noted(t, e, "process "+engine+", 3")
	}
}

func TestTheEngineThatIsTheFrontEndsParentIsCounted(t *testing.T) {
	engine := newEngine(t)
	engine.order("touch 300")
	engine.order("fork")
	e, counted, _ := seen(t, engine.order("give listen "+anyPort))
	near(t, "counted", counted, 300)
	noted(t, e, "process "+strconv.Itoa(engine.pid)+", 3")
}

func TestALauncherInAnotherSessionIsNotedAndNotCounted(t *testing.T) {
	launcher := newEngine(t)
	launcher.order("fork session")
	address := launcher.order("first listen " + anyPort)
	launcher.order("fork session")
	launcher.order("give touch 300")
	e, counted, beside := seen(t, address)
	near(t, "beside", beside, 300)
	if counted > 100 {
		t.Errorf("%d MiB are counted", counted)
	}
	noted(t, e, "not counted")
}

func TestWhatALauncherLeftBehindIsFoundByItsGroup(t *testing.T) {
	launcher := newProgram(t, os.Args[0], &syscall.SysProcAttr{Setpgid: true})
	launcher.order("fork")
	address := launcher.order("first listen " + anyPort)
	launcher.order("fork")
	launcher.order("give touch 300")
	front := launcher.order("first pid")
	for _, who := range []string{"first ", "give "} {
		pid := must(strconv.Atoi(launcher.order(who + "pid")))
		launcher.order(who + "stay")
		t.Cleanup(func() { syscall.Kill(pid, syscall.SIGKILL) })
	}
	launcher.order("leave")
	launcher.command.Wait()
	e, counted, _ := seen(t, address)
	near(t, "counted", counted, 300)
	if e.Listeners[0].PID != must(strconv.Atoi(front)) {
		t.Errorf("listens: %+v, want %s", e.Listeners, front)
	}
}

func TestWorkersThatShareAnAddressAreAllCounted(t *testing.T) {
	launcher := newEngine(t)
	launcher.order("fork")
	address := launcher.order("first listen " + anyPort)
	launcher.order("first touch 150")
	launcher.order("fork")
	launcher.order("give listen " + address)
	launcher.order("give touch 150")
	e, counted, _ := seen(t, address)
	near(t, "under one launcher", counted, 300)
	if len(e.Listeners) != 2 {
		t.Errorf("listen: %+v", e.Listeners)
	}

	one, two := newEngine(t), newEngine(t)
	address = one.order("listen " + anyPort)
	one.order("touch 150")
	two.order("listen " + address)
	two.order("touch 150")
	e, counted, _ = seen(t, address)
	near(t, "started one by one", counted, 300)
	noted(t, e, strconv.Itoa(two.pid))
}

func TestAMasterAndItsWorkersAreCounted(t *testing.T) {
	master := newEngine(t)
	address := master.order("listen " + anyPort)
	master.order("share")
	master.order("give touch 300")
	e, counted, _ := seen(t, address)
	near(t, "counted", counted, 300)
	if e.Tree.PID != master.pid || len(e.Notices()) != 0 {
		t.Errorf("found %+v, notes %q", e, e.Notices())
	}
}

func TestARunnerThatServesAPortUnderItsServerIsCounted(t *testing.T) {
	server := newEngine(t)
	address := server.order("listen " + anyPort)
	server.order("fork")
	server.order("give listen " + anyPort)
	server.order("give touch 300")
	e, counted, _ := seen(t, address)
	near(t, "counted", counted, 300)
	if len(e.Notices()) != 0 {
		t.Errorf("notes %q", e.Notices())
	}
}

// scripted starts two engines from one shell script.
func scripted(t *testing.T) (one, two *engine) {
	t.Helper()
	shell := exec.Command("sh", "-c", `"$0" <&3 >&4 & "$0" <&5 >&6 & wait`, os.Args[0])
	shell.Env = append(os.Environ(), childEnv+"=1")
	engines := []*engine{{}, {}}
	for _, e := range engines {
		in, order, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		answer, out, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		shell.ExtraFiles = append(shell.ExtraFiles, in, out)
		e.in, e.out = order, bufio.NewReader(answer)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	for _, file := range shell.ExtraFiles {
		file.Close()
	}
	t.Cleanup(func() {
		engines[0].in.Close()
		engines[1].in.Close()
		shell.Wait()
	})
	for _, e := range engines {
		e.pid = must(strconv.Atoi(e.order("pid")))
	}
	return engines[0], engines[1]
}

func TestTwoServersOfOneScriptAreToldApart(t *testing.T) {
	one, two := scripted(t)
	address := one.order("listen " + anyPort)
	one.order("touch 150")
	two.order("touch 300")
	_, counted, _ := seen(t, address)
	near(t, "a script's process that serves nothing", counted, 450)

	backend := two.order("listen " + anyPort)
	e, counted, beside := seen(t, address)
	near(t, "one that serves another port", counted, 150)
	near(t, "beside", beside, 300)
	if counted > 300 {
		t.Errorf("%d MiB are counted", counted)
	}
	noted(t, e, "not counted")

	one.order("dial " + backend)
	e, counted, beside = seen(t, address)
	near(t, "one that serves the front end", counted, 450)
	if beside != 0 {
		t.Errorf("%d MiB beside: %+v", beside, e)
	}
}

func TestAServerThatTheFrontEndIsConnectedToIsNoted(t *testing.T) {
	front, engine := newEngine(t), newEngine(t)
	address := front.order("listen " + anyPort)
	backend := engine.order("listen " + anyPort)
	engine.order("touch 300")
	front.order("dial " + backend)
	e, counted, beside := seen(t, address)
	near(t, "beside", beside, 300)
	noted(t, e, "not counted")
	if counted > 100 {
		t.Errorf("%d MiB are counted", counted)
	}
}

func TestAnEngineThatWasStartedFromHereWithItsFrontEndIsNoted(t *testing.T) {
	front, engine := newEngine(t), newEngine(t)
	address := front.order("listen " + anyPort)
	engine.order("touch 300")
	e, counted, beside := seen(t, address)
	near(t, "beside", beside, 300)
	noted(t, e, "process "+strconv.Itoa(engine.pid)+", 3")
	if counted > 100 {
		t.Errorf("%d MiB are counted", counted)
	}
}

// A script that runs exobench may have started other things than the engine: they
// are no part of it, whatever they do, until one is larger than the engine.
func TestNeighboursOfOneScriptAreNotNoted(t *testing.T) {
	engine := newEngine(t)
	address := engine.order("listen " + anyPort)
	engine.order("touch 200")
	serves, waits, client := newEngine(t), newEngine(t), newEngine(t)
	serves.order("listen " + anyPort)
	serves.order("touch 400")
	waits.order("touch 100") // serves nothing that can be seen
	client.order("touch 400")
	client.order("dial " + address)
	e, counted, beside := seen(t, address)
	near(t, "counted", counted, 200)
	if beside != 0 || len(e.Notices()) != 0 {
		t.Errorf("%d MiB beside, notes %q", beside, e.Notices())
	}
	sensor := newProcessesOf(func(context.Context) (Engine, error) { return e, nil })
	read := func() (float64, bool) {
		samples, err := sensor.Read(t.Context(), exobench.Loaded)
		if err != nil {
			t.Fatal(err)
		}
		return samples[0].Values.Get(exobench.Beside)
	}
	if size, told := read(); told {
		t.Errorf("%v bytes beside", size)
	}
	waits.order("touch 300") // the model that the engine fronts
	if size, _ := read(); size < 400*float64(mib) {
		t.Errorf("%v bytes beside once it is larger than the engine", size)
	}
}

func TestProxiesAreNoEngines(t *testing.T) {
	for _, name := range []string{"nginx", "haproxy", "caddy", "socat", "traefik", "envoy", "docker-proxy", "ssh"} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.Symlink(must(filepath.Abs(os.Args[0])), path); err != nil {
			t.Fatal(err)
		}
		address := newProgram(t, path, nil).order("listen " + anyPort)
		_, err := FindEngine(t.Context(), address)
		if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), name+" listens at "+address+": the engine ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestScriptsAreKnownByTheirNames(t *testing.T) {
	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{"/opt/litellm", "--port", "1"}, "/opt/litellm"},
		{[]string{"-u", "proxy/litellm.py"}, "proxy/litellm"},
		{[]string{"-m", "litellm"}, "litellm"},
		{[]string{"-c", "import litellm"}, ""},
		{nil, ""},
	} {
		if got := script(row.args); got != row.want {
			t.Errorf("%q: %q, want %q", row.args, got, row.want)
		}
	}
}

func TestServicesAndContainersByTheirControlGroups(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	user := "/user.slice/user-1000.slice/user@1000.service"
	pod := "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0d5f8e0a_2f7c_4d9b_9a51_6b1f6f9f7a10.slice"
	for _, row := range []struct{ cgroup, want string }{
		{"0::/system.slice/ollama.service", "/system.slice/ollama.service"},
		{"0::/system.slice/ollama.service/runner", "/system.slice/ollama.service"},
		{"0::/system.slice/system-vllm.slice/vllm@8000.service", "/system.slice/system-vllm.slice/vllm@8000.service"},
		{"0::" + user + "/app.slice/exo.service", user + "/app.slice/exo.service"},
		{"0::" + user + "/app.slice/run-r5c0ffee5c0ffee5c0ffee5c0ffee5c0f.scope", user + "/app.slice/run-r5c0ffee5c0ffee5c0ffee5c0ffee5c0f.scope"},
		{"0::/system.slice/run-u17.service", "/system.slice/run-u17.service"},
		{"0::" + user + "/app.slice/snap.ollama.ollama-3f2504e0-4f89-11d3-9a0c-0305e82c3301.scope", user + "/app.slice/snap.ollama.ollama-3f2504e0-4f89-11d3-9a0c-0305e82c3301.scope"},
		{"0::" + user + "/app.slice/app-flatpak-com.jeffser.Alpaca-4711.scope", user + "/app.slice/app-flatpak-com.jeffser.Alpaca-4711.scope"},

		// What a person started by hand, in a terminal or over ssh.
		{"0::" + user + "/app.slice/vte-spawn-1.scope", ""},
		{"0::" + user + "/app.slice/app-gnome-kitty-4711.scope", ""},
		{"0::" + user + "/tmux-spawn-1f0e.scope", ""},
		{"0::" + user + "/init.scope", ""},
		{"0::/user.slice/user-1000.slice/session-3.scope", ""},
		{"0::/init.scope", ""},

		// Docker: version 2 under systemd and without it, version 1.
		{"0::/system.slice/docker-" + id + ".scope", "/system.slice/docker-" + id + ".scope"},
		{"0::/docker/" + id, "/docker/" + id},
		{"12:memory:/docker/" + id + "\n11:cpu,cpuacct:/docker/" + id + "\n1:name=systemd:/docker/" + id + "\n0::/system.slice/containerd.service", "/docker/" + id},
		{"4:memory:/docker/" + id + "\n2:cpu:/docker/" + id + "\n1:name=openrc:/docker", "/docker/" + id}, // no systemd
		// Podman, by root and by a user; what watches the container is not in it.
		{"0::/machine.slice/libpod-" + id + ".scope/container", "/machine.slice/libpod-" + id + ".scope"},
		{"0::" + user + "/user.slice/libpod-" + id + ".scope/container", user + "/user.slice/libpod-" + id + ".scope"},
		{"0::" + user + "/user.slice/libpod-conmon-" + id + ".scope", ""},
		// Kubernetes: containerd, CRI-O, and the bare paths of the cgroupfs driver.
		{"0::" + pod + "/cri-containerd-" + id + ".scope", pod + "/cri-containerd-" + id + ".scope"},
		{"0::" + pod + "/crio-" + id + ".scope", pod + "/crio-" + id + ".scope"},
		{"11:memory:/kubepods/besteffort/pod0d5f8e0a/" + id + "\n1:name=systemd:/kubepods/besteffort/pod0d5f8e0a/" + id, "/kubepods/besteffort/pod0d5f8e0a/" + id},
		// LXC, machines of systemd, and a service inside of one.
		{"0::/lxc.payload.llm/system.slice/ollama.service", "/lxc.payload.llm/system.slice/ollama.service"},
		{"0::/lxc.payload.llm/x", "/lxc.payload.llm"},
		{"9:memory:/lxc/llm\n1:name=systemd:/lxc/llm", "/lxc/llm"},
		{"0::/machine.slice/machine-llm.scope", "/machine.slice/machine-llm.scope"},
		{"0::/machine.slice/systemd-nspawn@llm.service/payload", "/machine.slice/systemd-nspawn@llm.service"},

		// Seen from inside of a container.
		{"0::/", ""},
		{"0::/../ollama.service", "/../ollama.service"},
	} {
		f := newFakeProc(t)
		f.write("7/cgroup", row.cgroup+"\n")
		if got := f.root.service(7); got != row.want {
			t.Errorf("%s: %q, want %q", row.cgroup, got, row.want)
		}
	}
}

// What cron or a supervisor has started stands in its service, and has nothing to
// do with the engine that it has started too.
func TestTheServiceOfAManagerOfJobsIsNotTheEngines(t *testing.T) {
	for _, row := range []struct {
		service, manager string
		also             int
	}{
		{"/system.slice/cron.service", "cron", 0},
		{"/system.slice/supervisor.service", "supervisord", 0},
		{"/system.slice/engine.service", "tini", 1},
		{"/docker/x", "supervisord", 1}, // a container is counted whole
	} {
		all := map[int]kin{
			1: {name: "systemd"}, 3: {parent: 1, group: 3, session: 3, name: "exobench"}, 9: {parent: 1, group: 9, session: 9, name: row.manager},
			10: {parent: 9, group: 10, session: 10, name: "engine"}, 11: {parent: 9, group: 11, session: 11, name: "another"},
		}
		table := newProcesses(all, 3, func(pid int) string { return map[bool]string{true: row.service}[pid >= 9] })
		if e := table.enclose([]int{10}); e.Tree.PID != 10 || len(e.Tree.Also) != row.also {
			t.Errorf("%s of %s: %+v", row.service, row.manager, e)
		}
	}
}

func TestAServiceIsCountedWhole(t *testing.T) {
	all := map[int]kin{1: {name: "systemd"}, 2: {parent: 1, group: 2, session: 2, name: "bash"}, 3: {parent: 2, group: 3, session: 2, name: "exobench"}}
	services := map[int]string{}
	for pid := 10; pid < 15; pid++ {
		all[pid] = kin{parent: 1, group: pid, session: pid, name: "part"}
		services[pid] = "/system.slice/engine.service"
	}
	services[13] = "/system.slice/other.service"
	table := newProcesses(all, 3, func(pid int) string { return services[pid] })
	table.ports = ports{serves: map[int][]uint16{10: {8000}, 14: {9000}}}
	e := table.enclose([]int{10})
	if e.Tree.PID != 10 || len(e.Tree.Also) != 2 || e.Tree.Also[0] != 11 || e.Tree.Also[1] != 12 || len(e.Beside) != 1 || e.Beside[0].PID != 14 {
		t.Errorf("found %+v", e)
	}
	services[3] = "/system.slice/engine.service" // exobench runs in it
	if e := table.enclose([]int{10}); len(e.Tree.Also) != 0 || len(e.Beside) != 0 {
		t.Errorf("where exobench runs in the service: %+v", e)
	}
}

func TestAPersonsShellIsNoLauncher(t *testing.T) {
	all := map[int]kin{
		2: {parent: 1, group: 2, session: 2, name: "bash"}, 3: {parent: 2, group: 3, session: 2, name: "engine"},
		4: {parent: 2, group: 4, session: 2, name: "editor"}, 5: {parent: 1, group: 5, session: 5, name: "exobench"},
	}
	e := newProcesses(all, 5, func(int) string { return "" }).enclose([]int{3})
	if e.Tree.PID != 3 || len(e.Tree.Also) != 0 || len(e.Beside) != 0 {
		t.Errorf("found %+v", e)
	}
}

func TestAnEngineThatIsStartedAgainIsFoundAnew(t *testing.T) {
	launcher := newEngine(t) // keeps the first engine from being waited for at once
	launcher.order("fork session")
	address := launcher.order("first listen " + anyPort)
	launcher.order("first touch 200")
	l := Listen(t.Context(), address)
	sensor := l.Sensor()
	read := func() (exobench.Values, error) {
		samples, err := sensor.Read(t.Context(), exobench.During)
		return samples[0].Values, err
	}
	first, err := read()
	if err != nil {
		t.Fatal(err)
	}
	launcher.order("first leave")
	values, err := read()
	for tries := 0; err == nil && tries < 100; tries++ { // until the system has ended it
		time.Sleep(10 * time.Millisecond)
		values, err = read()
	}
	if !errors.Is(err, ErrGone) && !errors.Is(err, ErrNotFound) {
		t.Fatalf("of a process that ended: %v, %v", values, err)
	}
	if n, ok := values.Get(exobench.Processes); len(values) != 1 || !ok || n != 0 {
		t.Errorf("of a process that ended: %v, want no sizes", values)
	}
	launcher.order("fork session")
	launcher.order("give listen " + address)
	for tries := 0; tries < 1000; tries++ {
		if values, err = read(); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	was, _ := first.Get(exobench.Process)
	is, _ := values.Get(exobench.Process)
	if pid, _ := strconv.Atoi(launcher.order("give pid")); err != nil || is == was || is != float64(pid) {
		t.Errorf("read process %v, %v; want %d, not %v", is, err, pid, was)
	}
	if rss, _ := values.Get(exobench.RSS); rss > 100*float64(mib) {
		t.Errorf("%v bytes, which are the dead one's", rss)
	}
}

func TestLookingAgainIsBounded(t *testing.T) {
	looks := 0
	l := &Listening{startOf: func(context.Context, int) (uint64, bool) { return 0, false }}
	l.look = func(context.Context, string) (Engine, error) {
		looks++
		return Engine{}, ErrNotFound
	}
	l.engine.Listeners, l.looked = []ProcessID{{1, 1}}, time.Now().Add(time.Hour)
	for range 100 {
		if _, err := l.Engine(t.Context()); !errors.Is(err, ErrGone) {
			t.Fatal(err)
		}
	}
	if looks != 0 {
		t.Errorf("%d searches in no time", looks)
	}
	l.looked = time.Now().Add(-lookAgain)
	if _, err := l.Engine(t.Context()); !errors.Is(err, ErrNotFound) || looks != 1 {
		t.Errorf("%v after %d searches", err, looks)
	}
}
