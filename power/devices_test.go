package power

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exobench"
)

func TestPowersOfHwmonAreUsedWhereItIsKnownWhatTheyAreOf(t *testing.T) {
	root := tree(t, map[string]string{
		"hwmon0/name": "power_meter\n", "hwmon0/power1_average": "183000000\n", "hwmon0/power1_average_interval": "1000\n",
		"hwmon1/name": "amdgpu\n", "hwmon1/power1_average": "99000000\n",
		"hwmon2/name": "pfe1100\n", "hwmon2/power1_input": "90500000\n", "hwmon2/power1_label": "pin\n", "hwmon2/power2_input": "80000000\n", "hwmon2/power2_label": "pout1\n",
		"hwmon3/name": "coretemp\n", "hwmon3/temp1_input": "41000\n",
		"hwmon4/name": "macsmc_hwmon\n", "hwmon4/power1_input": "7500000\n", "hwmon4/power1_label": "Total System Power\n",
		"hwmon5/name": "fam15h_power\n", "hwmon5/power1_input": "20000000\n",
	})
	meters, missing := Detect(Roots{Hwmon: root})
	checkIDs(t, meters, "hwmon:fam15h_power:power1 package true", "hwmon:macsmc_hwmon:Total System Power node false", "hwmon:pfe1100:pin wall false", "hwmon:power_meter:power1 node false")
	if len(missing) != 1 || missing[0].ID != "hwmon:pfe1100:pout1" {
		t.Errorf("missing %+v", missing)
	}
	s, _ := Open(Roots{Hwmon: root}, exobench.NewClock())
	defer s.Close()
	samples, err := s.Read(t.Context(), exobench.During)
	if err != nil || len(samples) != 4 {
		t.Fatalf("%+v, %v", samples, err)
	}
	if got, _ := samples[0].Values.Get(exobench.PowerWatts); got != 183 || samples[0].Span != time.Second || samples[0].Of != "hwmon:power_meter:power1" || !samples[0].At.Reached() {
		t.Errorf("%+v: want the mean of the second before", samples[0])
	}
	if got, _ := samples[1].Values.Get(exobench.PowerWatts); got != 90.5 || samples[1].Span != 0 {
		t.Errorf("%+v: want 90.5 W of the instant", samples[1])
	}
	if again, err := s.Read(t.Context(), exobench.During); len(again) != 0 || err != nil {
		t.Errorf("a second reading at once: %+v, %v", again, err)
	}
}

func TestBatteriesTellThePowerWhileTheyAreAllThereIs(t *testing.T) {
	root := tree(t, map[string]string{
		"AC/type": "Mains\n", "BAT0/type": "Battery\n", "BAT1/type": "Battery\n", "BATmouse/type": "Battery\n", "BATmouse/scope": "Device\n",
		"BAT0/power_now": "9500000\n", "BAT1/current_now": "-500000\n", "BAT1/voltage_now": "12000000\n",
	})
	m := &battery{[]string{filepath.Join(root, "BAT0"), filepath.Join(root, "BAT1")}}
	for _, row := range []struct {
		first, second string
		want          float64 // 0: nothing
	}{
		{"Discharging", "Discharging", 15.5},
		{"Discharging", "Not charging", 9.5},
		{"Unknown", "Discharging", 6},
		{"Charging", "Discharging", 0},
		{"Full", "Full", 0},
	} {
		writeFile(t, filepath.Join(root, "BAT0/status"), row.first+"\n")
		writeFile(t, filepath.Join(root, "BAT1/status"), row.second+"\n")
		samples, err := m.read(t.Context(), nil)
		if err != nil || len(samples) != min(1, int(row.want)) {
			t.Errorf("%+v: %+v, %v", row, samples, err)
			continue
		}
		if len(samples) == 1 {
			if got, _ := samples[0].Values.Get(exobench.PowerWatts); got != row.want {
				t.Errorf("%+v: %v W", row, got)
			}
		}
	}
	meters, missing := Detect(Roots{Supply: root})
	checkIDs(t, meters, "battery:BAT0+BAT1 node true")
	if len(missing) != 1 || !strings.Contains(missing[0].Why, "discharges") {
		t.Errorf("missing %+v", missing)
	}
	if err := os.Remove(filepath.Join(root, "BAT0/power_now")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(root, "BAT0/status"), "Discharging")
	if samples, err := m.read(t.Context(), nil); err == nil {
		t.Errorf("a battery without figures: %+v", samples)
	}
}

func TestAMeterThatFailsKeepsNoOtherFromBeingRead(t *testing.T) {
	root := tree(t, server())
	s, _ := Open(Roots{Powercap: root}, exobench.NewClock())
	defer s.Close()
	if _, err := s.Read(t.Context(), exobench.During); err != nil {
		t.Fatal(err)
	}
	// So little that no machine is fast enough to call it a leap of the counter.
	for name, value := range server() {
		if filepath.Base(name) == "energy_uj" {
			writeFile(t, filepath.Join(root, name), strings.TrimSuffix(value, "0\n")+"1\n")
		}
	}
	writeFile(t, filepath.Join(root, "intel-rapl:0/energy_uj"), "gone\n")
	for _, m := range s.meters {
		m.last -= exobench.Instant(time.Second)
	}
	samples, err := s.Read(t.Context(), exobench.During)
	if len(samples) != 3 || err == nil || !strings.HasPrefix(err.Error(), "rapl:package-0: ") {
		t.Errorf("%d samples, %v", len(samples), err)
	}
	if s.Name() != "power" || s.Every() != raplEvery {
		t.Errorf("sensor %s, every %v", s.Name(), s.Every())
	}
}
