package ceiling

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"exobench"
)

//go:embed bandwidths.csv
var table string

// Device is a row of bandwidths.csv, which says what its columns mean.
type Device struct {
	Maker string
	// Names are what the system or the driver calls it, without the maker.
	Names []string
	// Gigabytes is the bandwidth in 1e9 bytes/s.
	Gigabytes float64
	// Cores, where not 0, tells apart variants by their CPU cores.
	Cores        int
	Source, Date string
}

// Devices returns the published bandwidths, in the order of the file.
func Devices() ([]Device, error) { return devices() }

var devices = sync.OnceValues(func() ([]Device, error) { return parse(table) })

const columns = "maker,name,gb_per_second,cpu_cores,source,date"

func parse(text string) ([]Device, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.Comment, r.FieldsPerRecord = '#', strings.Count(columns, ",")+1
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("published bandwidths: %w", err)
	}
	if len(rows) == 0 || strings.Join(rows[0], ",") != columns {
		return nil, fmt.Errorf("published bandwidths: the columns must be %s", columns)
	}
	var all []Device
	for _, row := range rows[1:] {
		d := Device{Maker: row[0], Names: strings.Split(row[1], "|"), Source: row[4], Date: row[5]}
		if d.Gigabytes, err = strconv.ParseFloat(row[2], 64); err == nil && row[3] != "" {
			d.Cores, err = strconv.Atoi(row[3])
		}
		if err != nil || d.Gigabytes <= 0 {
			return nil, fmt.Errorf("published bandwidths: %s %s has no number that can be: %s, %s", d.Maker, row[1], row[2], row[3])
		}
		all = append(all, d)
	}
	return all, nil
}

// Published returns what the maker of a chip or GPU says of its memory; absent
// where the table does not have it. name is what the system or the driver calls
// it; cores, where known, is how many CPU cores the machine has. A name counts as
// a whole: a laptop's GPU, or a slice of one, is not the card of almost that name.
func Published(name string, cores int) (exobench.Bandwidth, bool) {
	all, err := devices()
	if err != nil {
		return exobench.Bandwidth{}, false
	}
	asked := plain(name)
	for _, d := range all {
		if d.Cores != 0 && d.Cores != cores {
			continue
		}
		for _, known := range d.Names {
			if asked == plain(known) || asked == plain(d.Maker+" "+known) {
				return exobench.Bandwidth{
					PerSecond: d.Gigabytes * 1e9, From: exobench.BandwidthPublished, Of: d.Maker + " " + known, Source: d.Source + ", " + d.Date,
				}, true
			}
		}
	}
	return exobench.Bandwidth{}, false
}

// plain writes a name as names are compared: without case, trade marks and
// differences in what stands between words.
func plain(name string) string {
	name = strings.NewReplacer("(r)", "", "(tm)", "", "-", " ", "_", " ").Replace(strings.ToLower(name))
	return strings.Join(strings.Fields(name), " ")
}
