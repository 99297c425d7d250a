package exo

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestWhyARunnerFailed(t *testing.T) {
	t.Parallel()
	const log = "exo_log/exo.log"
	for _, row := range []struct {
		body, want string
		log        bool
	}{
		{`{"errorMessage":"Terminated (exitcode=1\nRunner error: no such tensor)"}`, "Terminated (exitcode=1 Runner error: no such tensor)", false},
		{`{"errorMessage":"Terminated (exitcode=1)","diagnostics":[]}`, "Terminated (exitcode=1)", true}, // a cut file of weights
		{`{"errorMessage":"Terminated (signal=9 (Killed))"}`, "Terminated (signal=9 (Killed))", true},
		{`{"errorMessage":"Terminated (exitcode=1)","diagnostics":[{"RunnerMetalGpuTimeout":{"message":"GPU hung"}}]}`, "GPU hung", false},
		{`{"errorMessage":null}`, "exo gives no reason", false},
	} {
		var state runnerState
		if err := json.Unmarshal([]byte(row.body), &state); err != nil {
			t.Fatal(err)
		}
		if err := state.failure(); !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), log) != row.log {
			t.Errorf("%s: %v", row.body, err)
		}
	}
}
