package admin

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"strings"
)

var (
	//go:embed runbook.html
	runbookHTML string
	//go:embed runbook.css
	runbookCSS string
)

// runbookPath is the path of the server's copy, relative to the status page.
const runbookPath = "runbook"

// runbookLink returns the target of the status page's links to the runbook; empty: no
// links.
func (s *Server) runbookLink() string {
	switch {
	case s.RunbookURL != "":
		return s.RunbookURL
	case s.Runbook != "":
		return runbookPath
	}
	return ""
}

// runbookSection is a section of the runbook, shown as Markdown source.
type runbookSection struct{ ID, Title, Text string }

// runbookSections splits a Markdown text at its headings.
func runbookSections(text string) []runbookSection {
	var list []runbookSection
	for part := range strings.SplitSeq("\n"+text, "\n## ") {
		title, body, _ := strings.Cut(part, "\n")
		if list == nil { // what is before the first section
			title, body, _ = strings.Cut(strings.TrimPrefix(strings.TrimSpace(part), "# "), "\n")
		}
		list = append(list, runbookSection{ID: strings.ToLower(strings.ReplaceAll(title, " ", "-")), Title: title, Text: strings.TrimSpace(body)})
	}
	return list
}

// newRunbookHandler serves the runbook that is embedded in the program.
func newRunbookHandler(s *Server) http.HandlerFunc {
	var page bytes.Buffer
	shown := template.Must(template.New("runbook").Parse(runbookHTML))
	err := shown.Execute(&page, struct {
		CSS      template.CSS
		Sections []runbookSection
	}{template.CSS(runbookCSS), runbookSections(s.Runbook)}) //nolint:gosec // our own file
	policy := "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src " + hashSource(runbookCSS)
	return func(w http.ResponseWriter, r *http.Request) {
		if s.Runbook == "" || err != nil {
			http.NotFound(w, r)
			return
		}
		writePage(w, policy, page.Bytes())
	}
}
