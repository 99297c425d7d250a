package main

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

//go:embed licences.txt
var licencesText string

func versionCommand(env environment) *cobra.Command {
	var sbom bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Show the version, and what the program is made of",
		Long: `Show the version of exobench and of Go, and the modules that are in the program, each with its licence.
With --sbom, print that as a software bill of materials (CycloneDX 1.5, JSON).`,
		Example: "  exobench version\n  exobench version --sbom",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				return errors.New("this program was built without the list of its modules")
			}
			if sbom {
				return writeSBOM(env.Stdout, info)
			}
			return showVersion(env.Stdout, info)
		},
	}
	cmd.Flags().BoolVar(&sbom, "sbom", false, "print a software bill of materials")
	return cmd
}

func showVersion(w io.Writer, info *debug.BuildInfo) error {
	var b strings.Builder
	fmt.Fprintf(&b, "exobench %s, %s, %s/%s, licence Apache-2.0\n\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	licences := licences()
	for _, m := range modules(info) {
		fmt.Fprintf(&b, "%s %s %s\n", m.Path, m.Version, licences[m.Path])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// licences returns the SPDX identifiers of the licences, by module.
func licences() map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(licencesText) {
		if module, licence, ok := strings.Cut(strings.TrimSpace(line), " "); ok && module != "#" {
			all[module] = licence
		}
	}
	return all
}

// modules returns the modules that are in the program, those that took the place
// of others as themselves.
func modules(info *debug.BuildInfo) []*debug.Module {
	var all []*debug.Module
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		all = append(all, m)
	}
	return all
}

// The parts of a CycloneDX 1.5 document that we fill in; see the specification's
// bom-1.5.schema.json.
type (
	bom struct {
		Format     string      `json:"bomFormat"`
		Spec       string      `json:"specVersion"`
		Version    int         `json:"version"`
		Metadata   bomMetadata `json:"metadata"`
		Components []component `json:"components"`
	}
	bomMetadata struct {
		Component component `json:"component"`
	}
	component struct {
		Type     string       `json:"type"`
		Name     string       `json:"name"`
		Version  string       `json:"version"`
		PURL     string       `json:"purl"`
		Hashes   []bomHash    `json:"hashes,omitempty"`
		Licences []bomLicence `json:"licenses,omitempty"`
	}
	bomHash struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	bomLicence struct {
		Licence struct {
			ID string `json:"id"`
		} `json:"license"`
	}
)

// writeSBOM writes what the program is made of. It has no date and no serial
// number, so that the same program gives the same document.
func writeSBOM(w io.Writer, info *debug.BuildInfo) error {
	doc := bom{
		Format: "CycloneDX", Spec: "1.5", Version: 1,
		Metadata: bomMetadata{newComponent("application", "exobench", version(), "Apache-2.0", "")},
	}
	licences := licences()
	doc.Components = append(doc.Components, newComponent("library", "std", strings.TrimPrefix(runtime.Version(), "go"), "BSD-3-Clause", ""))
	for _, m := range modules(info) {
		doc.Components = append(doc.Components, newComponent("library", m.Path, m.Version, licences[m.Path], m.Sum))
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(doc)
}

// newComponent describes a module. Sum is its checksum as in go.sum: "h1:" and a
// SHA-256 of its files in base64.
func newComponent(kind, name, version, licence, sum string) component {
	c := component{Type: kind, Name: name, Version: version, PURL: "pkg:golang/" + name + "@" + version}
	if digest, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sum, "h1:")); err == nil && len(digest) == sha256.Size {
		c.Hashes = []bomHash{{"SHA-256", hex.EncodeToString(digest)}}
	}
	if licence != "" {
		var l bomLicence
		l.Licence.ID = licence
		c.Licences = []bomLicence{l}
	}
	return c
}
