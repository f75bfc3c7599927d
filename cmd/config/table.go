package config

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"
)

// WriteTable writes the variables as an aligned table.
func (r Report) WriteTable(w io.Writer) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tab, "VARIABLE\tVALUE\tFROM\tDEFAULT\tMEANING")
	for _, v := range r.Variables {
		fmt.Fprintf(tab, "%s\t%s\t%s\t%s\t%s\n", v.Name, cell(v.Value), cell(v.From), cell(v.Default), v.Meaning)
	}
	return tab.Flush()
}

// WriteList writes the same as a list, for a terminal that is too narrow for the table: each
// variable is followed by its wrapped meaning.
func (r Report) WriteList(w io.Writer, wrap func(string) string) error {
	var b strings.Builder
	for _, v := range r.Variables {
		b.WriteString(v.Name)
		if v.From != "" {
			fmt.Fprintf(&b, "=%s (%s)", cell(v.Value), v.From)
		}
		if v.Default != "" && v.From != "default" {
			fmt.Fprintf(&b, ", by default %s", v.Default)
		}
		fmt.Fprintf(&b, "\n    %s\n", strings.ReplaceAll(wrap(v.Meaning), "\n", "\n    "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// cell removes line breaks and control characters.
func cell(text string) string {
	if text == "" {
		return "-"
	}
	if strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) {
		return strconv.Quote(text)
	}
	return text
}

// Markdown is the README's table of all variables. Those of a stream are named STREAM_X_…
func Markdown() string {
	var b strings.Builder
	b.WriteString("| variable | default | meaning |\n|---|---|---|\n")
	for _, d := range declarations("X") {
		fallback := ""
		switch {
		case d.Needed:
			fallback = "needed"
		case d.Default != "":
			fallback = "`" + d.Default + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", d.Name, fallback, d.Meaning)
	}
	return b.String()
}
