// Package plot draws bar charts with confidence intervals as PNG or SVG, and
// lanes over an axis of time and series over runs as PNG; it knows nothing of
// models or metrics.
//
// A [Figure] says what to show, with every label as finished text; [Bars] and
// [SVG] decide where it goes: names are wrapped at their hyphens, labels shrink,
// and turn upright where they would touch, and the picture widens where there
// are too many bars. The same figure gives the same bytes on the same machine
// architecture.
//
// Note: it draws on gonum.org/v1/plot/vg and its fonts, without package plot
// itself. That one's error bars cannot follow a bar's offset, it clips the last
// bar, and it links PDF and TeX back ends (7 MB).
package plot
