package report

import (
	"fmt"

	"exobench/summary"
)

// clientServerTable sets the client's figures beside the servers' own; nil where
// no server gives any.
func clientServerTable(run *summary.Run) *Table {
	t := cellTable(run, left("Figure"), right("n"), right("Client"), right("Server"), right("Client / server"), right("Off by > "+percent(summary.Tolerance)))
	for i := range run.Cells {
		both := run.Cells[i].ClientServer
		if both == nil {
			continue
		}
		for _, row := range []struct {
			name string
			*summary.Agreement
		}{
			{"output tokens", both.Output},
			{"output events / tokens", both.Events},
			{"decode tokens/s", both.Decode},
			{"prefill tokens/s (estimate)", both.Prefill},
			{"prefill tokens/s (measured)", both.Measured},
		} {
			if row.Agreement != nil {
				t.add(append(cellFields(run, &run.Cells[i]), row.name, fmt.Sprint(row.N), digits(row.Client), digits(row.Server),
					fmt.Sprintf("%.3f", row.Ratio), fmt.Sprintf("%.0f %%", 100*row.Off))...)
			}
		}
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return labelled(run, t)
}
