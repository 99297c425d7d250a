package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"exobench"
	"exobench/driver"
	"exobench/journal"
	"exobench/planfile"
)

func planCommand(env environment) *cobra.Command {
	f := planFlags{secrets: env.secrets}
	var from string
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Print the plan that flags make, or the plan of a run",
		Long: `Print the plan that these flags make, as YAML with a comment on each member: exobench run --plan FILE
runs it. With --from, print the plan of a run, which gives that run again.`,
		Example: `  exobench plan > plan.yaml
  exobench plan --engine llamacpp --model llama-3.2-1b --synthetic --concurrency 1,4 > plan.yaml
  exobench plan --from results/latest`,
		Args: f.moreVariants,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if from == "" {
				p, _, err := f.plan()
				if err != nil {
					return err
				}
				return planfile.Write(env.Stdout, p, optionHelps())
			}
			other := ""
			cmd.Flags().Visit(func(flag *pflag.Flag) {
				if flag.Name != "from" {
					other = flag.Name
				}
			})
			if other != "" {
				return driver.UsageError{Err: fmt.Errorf("--from prints the plan of a run as it is: leave --%s out, or run the plan with exobench run --plan FILE --%s …", other, other)}
			}
			p, err := planOf(from)
			if err != nil {
				return err
			}
			f.hideAddresses(p.Engines)
			return planfile.Write(env.Stdout, p, optionHelps())
		},
	}
	groups := new(flagGroups)
	groups.add("Which plan").StringVar(&from, "from", "", "result folder whose plan to print")
	f.register(cmd, groups)
	groups.attach(cmd)
	return cmd
}

// planOf returns the plan of the run in a result folder.
func planOf(path string) (exobench.Plan, error) {
	if err := checkJournal(path); err != nil {
		return exobench.Plan{}, err
	}
	file, err := os.Open(filepath.Join(path, journal.Name))
	if err != nil {
		return exobench.Plan{}, err
	}
	defer file.Close()
	r := journal.NewReader(file)
	for entry := range r.All() {
		if header, ok := entry.(*exobench.Header); ok {
			return header.Plan, nil
		}
	}
	return exobench.Plan{}, r.Err()
}

// optionHelps explains the options of each engine.
func optionHelps() map[string]map[string]string {
	helps := map[string]map[string]string{auto: {}}
	for _, o := range optionsOf(auto) {
		helps[auto][o.Name] = o.Help
	}
	for _, d := range drivers {
		helps[d.Name()] = map[string]string{}
		for _, o := range d.Options() {
			helps[d.Name()][o.Name] = o.Help
		}
	}
	return helps
}
