package exo

import (
	"context"
	"fmt"

	"exobench/driver"
	"exobench/resource"
)

// Sensors are what exo tells of its nodes, and the memory of its processes
// where all of it runs on this host.
func (e *Engine) Sensors() []driver.Sensor {
	if e.config.identity.PID != 0 {
		return []driver.Sensor{resource.NewProcesses(e.process)}
	}
	sensors := []driver.Sensor{nodesSensor{e}, runnersSensor{e}}
	if e.local() {
		sensors = append(sensors, e.own.Sensor())
	}
	return sensors
}

// Notices say what is between here and exo, and why the memory is not that of exo's processes, where it is not.
func (e *Engine) Notices() []string {
	notices := e.api.Notices()
	if !e.config.unmarked {
		notices = append(notices, e.marks.Notices()...)
	}
	if e.local() {
		if e.own == nil {
			return notices
		}
		return append(notices, e.own.Notices()...)
	}
	_, err := e.process()
	if err == nil {
		err = fmt.Errorf("exo has %d nodes", len(e.nodes))
	}
	return append(notices, fmt.Sprintf("memory is that of whole nodes, whoever uses it (%v)", err))
}

// local reports whether all of the engine runs on this host.
func (e *Engine) local() bool {
	return e.config.identity.PID != 0 || e.seen && len(e.nodes) == 1
}

// process returns the process that answers, where it runs on this host: another
// one than before where exo was started again.
func (e *Engine) process() (int, error) {
	if e.own == nil {
		return e.config.identity.PID, nil
	}
	return e.own.PID()
}

// listener returns exo's own process on this host, found anew where exo was
// started again.
func (e *Engine) listener(ctx context.Context) (int, error) {
	if pid := e.config.identity.PID; pid != 0 {
		return pid, nil
	}
	if e.own == nil {
		e.findProcess(ctx)
	}
	found, err := e.own.Engine(ctx)
	if err != nil {
		return 0, err
	}
	pid := found.Listeners[0].PID
	e.mu.Lock()
	before := e.listens
	if e.listens = pid; before != pid {
		e.earlier = nil
	}
	e.mu.Unlock()
	if before != 0 && before != pid {
		e.observe("exo was started anew: its process is %d and was %d; what it had loaded is gone", pid, before)
	}
	return pid, nil
}

// findProcess looks for the process that listens.
func (e *Engine) findProcess(ctx context.Context) {
	if e.config.identity.PID != 0 {
		return
	}
	e.own = resource.Listen(ctx, e.api.Address())
	_, err := e.own.PID()
	e.seen = err == nil
}
