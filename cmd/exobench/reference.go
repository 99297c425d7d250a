package main

import (
	"time"

	"github.com/spf13/cobra"

	"exobench/driver"
	"exobench/reference"
)

func referenceCommand(env environment) *cobra.Command {
	var c reference.Config
	var f serveFlags
	var jitter, fault string
	cmd := &cobra.Command{
		Use:   "reference",
		Short: "Serve the timing reference: streams on an exact schedule that carry their own truth",
		Long: `Serve the timing reference on the loopback interface until it is interrupted.

Its streams keep an exact schedule, and each event carries the instant (CLOCK_MONOTONIC) at which it
was handed to its socket. It is what a client's error is measured against, and says nothing of any
engine's speed. A request overrides each setting with its member "reference".`,
		Example: "  exobench reference --ttft 50ms --interval 10ms --tokens 200",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.Jitter.Distribution, c.Errors.Fault = reference.Distribution(jitter), reference.Fault(fault)
			if err := c.Validate(); err != nil {
				return driver.UsageError{Err: err}
			}
			var err error
			if c.Token, err = f.tokenOf(env); err != nil {
				return err
			}
			server, err := reference.New(c)
			if err != nil {
				return driver.UsageError{Err: err}
			}
			return f.serve(cmd.Context(), env, server, server.Close)
		},
	}
	flags := cmd.Flags()
	f.register(flags, 8089)
	flags.DurationVar(&c.TTFT, "ttft", 100*time.Millisecond, "time from a request to its first event")
	flags.DurationVar(&c.Interval, "interval", 20*time.Millisecond, "time from one event to the next")
	flags.IntVar(&c.Tokens, "tokens", 100, "length of an answer")
	flags.IntVar(&c.PerChunk, "per-chunk", 1, "tokens in an event")
	flags.StringVar(&jitter, "jitter", "none", "distribution of delays: none, uniform, exponential")
	flags.DurationVar(&c.Jitter.Size, "jitter-size", 0, "greatest delay (uniform) or mean delay (exponential)")
	flags.Uint64Var(&c.Jitter.Seed, "jitter-seed", 1, "seed of the delays")
	flags.DurationVar(&c.PrefillPerToken, "prefill", 0, "added to the TTFT for each word of the prompt")
	flags.StringVar(&fault, "fault", "none", "what goes wrong: none, http_500, stream_error, truncated, stall")
	flags.BoolVar(&c.Relaxed, "relaxed", false, "events may be some 50 µs late, for less of a core; the instants that they carry are as true")
	return cmd
}
