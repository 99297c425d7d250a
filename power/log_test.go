package power

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exobench"
)

// at is 2026-01-02 15:04:05 UTC, in seconds since 1970.
const at = 1767366245

func TestLogsOfMetersAreReadInTheFormsThatTheyHave(t *testing.T) {
	local := time.Unix(at, 0).In(time.Local)
	for _, row := range []struct{ why, text string }{
		{"no heading, RFC 3339", "2026-01-02T15:04:05Z,85.5\n2026-01-02T15:04:06Z,90\n"},
		{"a zone, and fractions", "time,watts\n2026-01-02T16:04:05.000+01:00,85.5\n2026-01-02T16:04:06.0+01:00,90.0\n"},
		{"seconds since 1970", fmt.Sprintf("timestamp,power_w\n%d,85.5\n%d.0,90\n", at, at+1)},
		{"milliseconds", fmt.Sprintf("epoch,power\n%d000,85.5\n%d000,90\n", at, at+1)},
		{"nanoseconds", fmt.Sprintf("ts,W\n%d000000000,85.5\n%d000000000,90\n", at, at+1)},
		{"this machine's zone", local.Format("2006-01-02 15:04:05") + ",85.5\n" + local.Add(time.Second).Format("2006/01/02 15:04:05") + ",90\n"},
		{"semicolons and decimal commas", fmt.Sprintf("Date;Voltage (V);Power (W)\n%d;230,1;85,5\n%d;230,4;90\n", at, at+1)},
		{"milliwatts, other columns, a comment", fmt.Sprintf("# of a plug\nvoltage,current,time,power (mW)\n230,0.4,%d,85500\n230,0.4,%d,90000\n", at, at+1)},
		{"tabs, units in the fields, a BOM, CRLF", fmt.Sprintf("\ufefftime\twatts\r\n%d\t85.5 W\r\n%d\t90W\r\n", at, at+1)},
		{"the meter is writing the last line", fmt.Sprintf("%d,85.5\n%d,90\n176736", at, at+1)},
		{"not in order", fmt.Sprintf("%d,90\n%d,85.5\n", at+1, at)},
	} {
		log, err := ReadLog(tree(t, map[string]string{"log.csv": row.text})+"/log.csv", 0)
		if err != nil || len(log.Readings) != 2 {
			t.Errorf("%s: %+v, %v", row.why, log, err)
			continue
		}
		for i, want := range []Reading{{time.Unix(at, 0), 85.5}, {time.Unix(at+1, 0), 90}} {
			if got := log.Readings[i]; !got.At.Equal(want.At) || got.Watts != want.Watts {
				t.Errorf("%s: reading %d is %v, want %v", row.why, i, got, want)
			}
		}
		if m := log.Meter(); m.Scope != exobench.WallScope || m.Of != "csv:log.csv" || m.Step != time.Second || m.Estimated {
			t.Errorf("%s: meter %+v", row.why, m)
		}
	}
}

func TestABadLogGetsOneSentence(t *testing.T) {
	root := tree(t, map[string]string{"empty.csv": ""})
	if err := CheckLog(root + "/empty.csv"); err != nil {
		t.Errorf("an empty log: %v", err)
	}
	if err := CheckLog(root + "/none.csv"); err == nil || !strings.Contains(err.Error(), "is not there: have the meter write") {
		t.Errorf("no log: %v", err)
	}
	if err := CheckLog(root); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("a folder: %v", err)
	}
	for text, want := range map[string]string{
		"a,b\n1,2\n":                      `its heading is "a,b": one column must be named time`,
		"time,watts\nnow,5\n":             `line 2: "now" is no time: write it as`,
		"time,watts\n0.5,5\n1.5,6\n":      "line 2: the time 0.5 is no time of day",
		"1767366245,much\n":               `line 1: "much" is no power in watts`,
		"1767366245,NaN\n":                `is no power in watts`,
		"1767366245,1\n1767366246\n":      "line 2: it has 1 fields where 2 are needed",
		"{\"time\": 1767366245, \"w\":\n": "is no log of a power meter",
	} {
		path := filepath.Join(t.TempDir(), "log.csv")
		writeFile(t, path, text)
		if err := CheckLog(path); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestSamplesOfALogAreOnTheClockOfTheSession(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.csv")
	var text strings.Builder
	for i := range 10 {
		fmt.Fprintf(&text, "%d,%d\n", at+i, 50+i)
	}
	writeFile(t, path, text.String())
	log, err := ReadLog(path, -2*time.Second) // the meter's clock is 2 s ahead
	if err != nil {
		t.Fatal(err)
	}
	epoch := time.Unix(at-10, 0)
	second := exobench.Instant(time.Second)
	samples, err := log.Samples(epoch, 10*second, 12*second)
	if err != nil || len(samples) != 3 || samples[0].At != 10*second || samples[2].At != 12*second {
		t.Fatalf("%+v, %v", samples, err)
	}
	if got, _ := samples[0].Values.Get(exobench.PowerWatts); got != 52 || samples[0].Sensor != "power" || samples[0].Of != "csv:log.csv" {
		t.Errorf("%+v: want the third reading", samples[0])
	}
	if _, err := log.Samples(epoch, 100*second, 200*second); err == nil || !strings.Contains(err.Error(), "of the time of the run, 2026-01-02 15:05:35Z to 2026-01-02 15:07:15Z: its readings are from 2026-01-02 15:04:03Z") {
		t.Errorf("%v", err)
	}
}

func FuzzALogIsReadOrRefused(f *testing.F) {
	f.Add("time,watts\n1767366245,5\n")
	f.Add("2026-01-02T15:04:05Z;8,5\n")
	f.Fuzz(func(t *testing.T, text string) {
		readings, err := parseLog([]byte(text))
		for _, r := range readings {
			if err == nil && r.Watts-r.Watts != 0 {
				t.Errorf("%q gives %v", text, r)
			}
		}
	})
}
