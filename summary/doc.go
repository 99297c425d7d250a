// Package summary turns a journal into the figures that reports show.
package summary
