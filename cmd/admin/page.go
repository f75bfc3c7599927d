package admin

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
)

// The status page is a single response: styles and script are inlined, and allowed only
// by their hashes (Content-Security-Policy Level 3, hash-source).
var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string
)

// pageHandler serves the status page, which is read-only.
type pageHandler struct {
	server   *Server
	template *template.Template
	policy   string
}

func newPageHandler(s *Server) *pageHandler {
	return &pageHandler{
		server:   s,
		template: template.Must(template.New("page").Parse(pageHTML)),
		policy: "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'; img-src data:; " +
			"style-src " + hashSource(pageCSS) + "; script-src " + hashSource(pageJS),
	}
}

func hashSource(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// ServeHTTP implements http.Handler. The query "wall" enlarges the page for a wall
// screen.
func (h *pageHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := h.server.Look(h.server.now())
	p := newPage(&v, h.server)
	p.Wall = r.URL.Query().Has("wall")
	var b bytes.Buffer
	if err := h.template.Execute(&b, p); err != nil {
		http.Error(w, "render the status page: "+err.Error(), http.StatusInternalServerError)
		return
	}
	writePage(w, h.policy, b.Bytes())
}

// writePage answers with an HTML page.
func writePage(w http.ResponseWriter, policy string, page []byte) {
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Security-Policy", policy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cache-Control", "no-store")
	_, _ = w.Write(page) // a client that has gone needs no answer
}

// CSS returns the style sheet as it is inlined.
func (*page) CSS() template.CSS { return template.CSS(pageCSS) } //nolint:gosec // our own file

// JS returns the script as it is inlined.
func (*page) JS() template.JS { return template.JS(pageJS) } //nolint:gosec // our own file
