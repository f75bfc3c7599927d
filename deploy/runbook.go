// Package deploy has the text of the folder that the program itself shows.
package deploy

import _ "embed"

//go:embed RUNBOOK.md
var runbook string

// Runbook is what each alert means and what to do about it, in Markdown: a section
// for each, under its name.
func Runbook() string { return runbook }
