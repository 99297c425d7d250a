package resource

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/shirou/gopsutil/v4/process"
)

const (
	inContainer = "the engine runs in a container"
	inMachine   = "the engine runs in a virtual machine"
	tunnelled   = "the engine is behind a tunnel"
	proxied     = "the engine is behind a proxy"
)

// relays are programs that listen for an engine which runs elsewhere; their own
// memory says nothing.
var relays = map[string]string{
	"docker-proxy": inContainer, "rootlessport": inContainer, "slirp4netns": inContainer,
	"pasta": inContainer, "passt": inContainer, "com.docker.backend": inContainer, "vpnkit": inContainer,
	"gvproxy": inMachine, "limactl": inMachine, "qemu-system-x86_64": inMachine, "qemu-system-aarch64": inMachine,

	"ssh": tunnelled, "sshd": tunnelled, "sshd-session": tunnelled, "autossh": tunnelled, "kubectl": tunnelled,
	"cloudflared": tunnelled, "ngrok": tunnelled, "frpc": tunnelled, "frps": tunnelled, "chisel": tunnelled,
	"tailscaled": tunnelled, "stunnel": tunnelled, "stunnel4": tunnelled,

	"nginx": proxied, "openresty": proxied, "haproxy": proxied, "caddy": proxied, "traefik": proxied,
	"envoy": proxied, "socat": proxied, "apache2": proxied, "httpd": proxied, "lighttpd": proxied,
	"h2o": proxied, "squid": proxied, "varnishd": proxied, "tinyproxy": proxied, "pound": proxied,
	"mitmproxy": proxied, "mitmdump": proxied, "mitmweb": proxied, "toxiproxy-server": proxied,
	"systemd-socket-proxyd": proxied, "rinetd": proxied, "xinetd": proxied, "inetd": proxied,
	"nc": proxied, "ncat": proxied, "litellm": proxied,
}

// notRelays returns an error where one of the processes is a relay.
func notRelays(ctx context.Context, pids []int, hostport string) error {
	for _, pid := range pids {
		for _, name := range programNames(ctx, pid) {
			if why, ok := relays[name]; ok {
				return fmt.Errorf("%w: %s listens at %s: %s", ErrNotFound, name, hostport, why)
			}
		}
	}
	return nil
}

// programNames are what a process may be called: by its own name, its program
// file, what it calls itself, and the script that its interpreter runs.
func programNames(ctx context.Context, pid int) []string {
	p := process.Process{Pid: int32(pid)}
	var names []string
	add := func(name string) {
		if name != "" {
			names = append(names, filepath.Base(name))
		}
	}
	name, _ := p.NameWithContext(ctx)
	add(name)
	exe, _ := p.ExeWithContext(ctx)
	add(strings.TrimSuffix(exe, " (deleted)"))
	args, _ := p.CmdlineSliceWithContext(ctx)
	if len(args) == 0 {
		return names
	}
	own, _, _ := strings.Cut(args[0], ":")
	add(own)
	if isInterpreter(filepath.Base(own)) {
		add(script(args[1:]))
	}
	return names
}

func isInterpreter(name string) bool {
	for _, known := range []string{"python", "pypy", "node", "ruby", "perl", "bash", "sh"} {
		if version, ok := strings.CutPrefix(name, known); ok && strings.Trim(version, "0123456789.") == "" {
			return true
		}
	}
	return false
}

// script returns the script, or the module, that an interpreter's arguments name.
func script(args []string) string {
	for i, arg := range args {
		switch {
		case arg == "-m" && i+1 < len(args):
			return args[i+1]
		case arg == "-c":
			return ""
		case !strings.HasPrefix(arg, "-"):
			return strings.TrimSuffix(arg, filepath.Ext(arg))
		}
	}
	return ""
}
