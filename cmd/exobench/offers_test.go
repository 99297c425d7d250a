package main

import (
	"encoding/json"
	"strings"
	"testing"

	"exobench/driver"
)

func TestDetectAndModelsLookWhereTheyAreTold(t *testing.T) {
	url := startEngine(t, "--preload", "tiny-b")
	for _, form := range []string{url, url + "/", url + "/v1", url + "/v1/", strings.Replace(url, "127.0.0.1", "localhost", 1)} {
		got := exobenchIn(t, t.TempDir(), "detect", "--url", form, "--json")
		var found struct{ Engines []driver.Found }
		if err := json.Unmarshal([]byte(got.stdout), &found); err != nil || got.code != exitOK {
			t.Fatalf("%s: exit code %d, %v\n%s", form, got.code, err, got.stderr)
		}
		if len(found.Engines) != 1 || found.Engines[0].Engine != "exo" || found.Engines[0].URL != strings.TrimSuffix(strings.TrimRight(form, "/"), "/v1") ||
			strings.Join(found.Engines[0].Loaded, "") != "tiny-org/tiny-b-4bit" {
			t.Errorf("%s: found %+v", form, found.Engines)
		}
		// Without the models file the engine's own models are its own.
		for _, args := range [][]string{{"models", "--json", "--url", form}, {"models", "--json", "--engine", "exo", "--url", form}} {
			got := exobenchIn(t, t.TempDir(), args...)
			var offers []driver.Offer
			if err := json.Unmarshal([]byte(got.stdout), &offers); err != nil || got.code != exitOK {
				t.Fatalf("%v: exit code %d, %v\n%s", args, got.code, err, got.stderr)
			}
			own := 0
			for _, o := range offers {
				if o.ID == "tiny-org/tiny-b-4bit" && o.Loaded != nil && *o.Loaded && o.Downloaded != nil && *o.Downloaded {
					own++
				}
			}
			if own != 1 {
				t.Errorf("%v: the engine's own model is there %d times in %+v", args, own, offers)
			}
		}
	}
	// A run takes the same forms.
	got := exobenchIn(t, t.TempDir(), "run", "--url", url+"/v1", "--model", "tiny-org/tiny-b-4bit", "--reuse", "--dry-run")
	if got.code != exitOK || !strings.Contains(got.stdout, "\nexo ") {
		t.Errorf("run --url …/v1: exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

func TestWhatAnEngineDoesNotTellIsAQuestionMark(t *testing.T) {
	url := openAI(t, never, "somebody/else", "m")
	got := exobenchIn(t, t.TempDir(), "models", "--url", url)
	if got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	for _, id := range []string{"somebody/else", "m"} {
		seen := false
		for line := range strings.Lines(got.stdout) {
			fields := strings.Fields(line)
			if len(fields) < 7 || fields[2] != id {
				continue
			}
			seen = true
			if strings.Contains(" "+strings.Join(fields[3:], " ")+" ", " no ") {
				t.Errorf("a no where nobody knows: %s", line)
			}
		}
		if !seen {
			t.Errorf("%s is not listed:\n%s", id, got.stdout)
		}
	}
}
