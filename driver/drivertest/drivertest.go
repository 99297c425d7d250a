// Package drivertest checks that a driver keeps to the contract of package
// driver, as far as that is the same for all of them.
package drivertest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exobench"
	"exobench/catalogue"
	"exobench/driver"
	"exobench/wire"
)

// Env returns what a driver works with: a clock, a wire client that is closed
// with the test, the built-in catalogue, and an environment without variables.
func Env(t *testing.T) driver.Env {
	t.Helper()
	models, err := catalogue.Load("")
	if err != nil {
		t.Fatal(err)
	}
	clock := exobench.NewClock()
	client := wire.NewClient(wire.Config{Clock: clock})
	t.Cleanup(client.Close)
	return driver.Env{Clock: clock, Wire: client, Catalogue: models, Getenv: func(string) string { return "" }}
}

// patience bounds a call at an address where nothing listens; none should come
// near it.
const patience = 30 * time.Second

// Driver checks a driver where no engine answers, and what it makes of
// mistakes.
func Driver(t *testing.T, d driver.Driver) {
	t.Helper()
	if d.Name() == "" || strings.ContainsAny(d.Name(), " \t\n,=") {
		t.Errorf("name %q: --engine and --url could not take it", d.Name())
	}
	checkOptions(t, d)
	env := Env(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	dead := exobench.EngineSpec{Name: d.Name(), URL: deadURL(t)}
	if found := d.Find(ctx, dead.URL, env); len(found) > 0 {
		t.Errorf("found %+v where nothing listens", found)
	}
	if found := d.Find(ctx, "no URL", env); len(found) > 0 {
		t.Errorf("found %+v at what is no URL", found)
	}
	e, err := d.Open(ctx, dead, env)
	wantError(t, d, "open an address where nothing listens", e, err)
	if offers, err := d.Offers(ctx, dead, env); err == nil {
		for _, o := range offers {
			if o.Engine != d.Name() || o.Model == "" || o.ID == "" || o.Why == "" {
				t.Errorf("offer %+v: it must say which model and engine, and why it fits or not", o)
			}
		}
	}
	for what, spec := range map[string]exobench.EngineSpec{
		"a spec with what is no URL":      {Name: d.Name(), URL: "no URL"},
		"a spec with an option of nobody": {Name: d.Name(), URL: dead.URL, Options: map[string]string{"no-such-option": "1"}},
	} {
		e, err := d.Open(ctx, spec, env)
		wantError(t, d, "open "+what, e, err)
		wantUsage(t, d, "open "+what, err)
	}
	checkStrangers(ctx, t, d, env)
	if err := ctx.Err(); err != nil {
		t.Errorf("%s took longer than %v at an address where nothing listens", d.Name(), patience)
	}
}

// checkStrangers checks what a driver makes of addresses where no engine answers
// as one: that it is told of a redirect to another origin and sends nothing
// there, and that it does not wait where a server switches protocols.
func checkStrangers(ctx context.Context, t *testing.T, d driver.Driver, env driver.Env) {
	t.Helper()
	var astray atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { astray.Add(1) }))
	defer other.Close()
	env.Header = http.Header{"Authorization": {"Bearer key"}}
	for says, handler := range map[string]http.HandlerFunc{
		"redirects to " + other.URL: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+r.URL.Path, http.StatusPermanentRedirect)
		},
		"101": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusSwitchingProtocols) },
	} {
		server := httptest.NewServer(handler)
		if found := d.Find(ctx, server.URL, env); len(found) > 0 {
			t.Errorf("found %+v at what answers %s", found, says)
		}
		e, err := d.Open(ctx, exobench.EngineSpec{Name: d.Name(), URL: server.URL}, env)
		wantError(t, d, "open what answers "+says, e, err)
		_, usage := errors.AsType[driver.UsageError](err)
		if err != nil && !usage && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: open what answers %s: %v", d.Name(), says, err)
		}
		server.Close()
	}
	if astray.Load() > 0 {
		t.Errorf("%s went where a redirect to another origin led", d.Name())
	}
}

// checkOptions checks that options can be flags and take their own defaults.
func checkOptions(t *testing.T, d driver.Driver) {
	t.Helper()
	var names []string
	for _, o := range d.Options() {
		if o.Name == "" || o.Name != strings.ToLower(o.Name) || strings.ContainsAny(o.Name, " _=") || slices.Contains(names, o.Name) {
			t.Errorf("option %q of %s: it must be a flag's name, and one of its own", o.Name, d.Name())
		}
		if o.Help == "" || strings.Contains(o.Help, "\n") {
			t.Errorf("option %s of %s: its help must be one line", o.Name, d.Name())
		}
		names = append(names, o.Name)
		spec := exobench.EngineSpec{Name: d.Name(), Options: map[string]string{o.Name: o.In(exobench.EngineSpec{})}}
		if err := driver.CheckOptions(spec, d.Options()); err != nil {
			t.Errorf("option %s of %s does not take its own default: %v", o.Name, d.Name(), err)
		}
	}
}

// Engine checks an engine that the driver has opened by the spec. It does not
// close it.
func Engine(t *testing.T, d driver.Driver, spec exobench.EngineSpec, e driver.Engine) {
	t.Helper()
	info := e.Info()
	if info.Name != spec.Label() || info.Driver != d.Name() {
		t.Errorf("info of %q, driver %q; want %q and %q", info.Name, info.Driver, spec.Label(), d.Name())
	}
	if len(info.Models) > 0 {
		t.Errorf("info has the models %v, which are the caller's to add", info.Models)
	}
	const nobodys = "zz-no-such-model-99"
	m, err := e.Resolve(t.Context(), nobodys)
	if err == nil {
		t.Errorf("%s has the model %+v", d.Name(), m)
	} else {
		wantUsage(t, d, "resolve a model of nobody", err)
	}
	var names []string
	for _, s := range e.Sensors() {
		if s.Name() == "" || slices.Contains(names, s.Name()) || s.Every() < 0 {
			t.Errorf("sensor %q, every %v, beside %q", s.Name(), s.Every(), names)
		}
		names = append(names, s.Name())
	}
	for _, notice := range e.Notices() {
		if notice == "" || strings.Contains(notice, "\n") {
			t.Errorf("notice %q: it must be one line", notice)
		}
	}
}

// wantError checks that there is an error of one line, and no engine.
func wantError(t *testing.T, d driver.Driver, what string, e driver.Engine, err error) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("%s: %s: no error", d.Name(), what)
	case e != nil:
		t.Errorf("%s: %s: an engine beside the error %v", d.Name(), what, err)
	case strings.Contains(err.Error(), "\n"):
		t.Errorf("%s: %s: error %q has more than one line", d.Name(), what, err)
	}
}

func wantUsage(t *testing.T, d driver.Driver, what string, err error) {
	t.Helper()
	if _, usage := errors.AsType[driver.UsageError](err); !usage {
		t.Errorf("%s: %s: %v is no UsageError", d.Name(), what, err)
	}
}

// deadURL returns an address at which nothing listens.
func deadURL(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

// Notices returns an engine's notices but for those on processes beside it, which
// the test's own neighbours on this machine may give rise to.
func Notices(e driver.Engine) []string {
	return slices.DeleteFunc(slices.Clone(e.Notices()), func(text string) bool {
		return strings.Contains(text, "not counted as the engine's memory")
	})
}
