package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagGroups are the flags of a command, in groups that its help shows one by
// one.
type flagGroups struct {
	titles []string
	sets   []*pflag.FlagSet
}

// add returns the set of a group's flags.
func (g *flagGroups) add(title string) *pflag.FlagSet {
	for i, have := range g.titles {
		if have == title {
			return g.sets[i]
		}
	}
	set := pflag.NewFlagSet(title, pflag.ContinueOnError)
	set.SortFlags = false
	g.titles, g.sets = append(g.titles, title), append(g.sets, set)
	return set
}

// attach gives the flags to the command, and has its help show the groups.
func (g *flagGroups) attach(cmd *cobra.Command) {
	cmd.Flags().SortFlags = false
	for _, set := range g.sets {
		cmd.Flags().AddFlagSet(set)
	}
	cmd.SetUsageFunc(func(cmd *cobra.Command) error {
		var b strings.Builder
		fmt.Fprintf(&b, "Usage:\n  %s\n", cmd.UseLine())
		if cmd.Example != "" {
			fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
		}
		for i, title := range g.titles {
			fmt.Fprintf(&b, "\n%s:\n%s", title, g.sets[i].FlagUsagesWrapped(helpWidth))
		}
		_, err := fmt.Fprint(cmd.OutOrStdout(), b.String())
		return err
	})
}

// helpWidth is where the lines of a help end.
const helpWidth = 120
