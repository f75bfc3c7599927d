package check

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"dfinery-kafka/schema"
)

// WriteText writes the lines as text, with indented remedies and a summary.
func WriteText(w io.Writer, lines []Line) error {
	var b strings.Builder
	count := map[Status]int{}
	for _, l := range lines {
		count[l.Status]++
		fmt.Fprintf(&b, "%-4s  %s: %s\n", l.Status, l.Check, l.Detail)
		for _, r := range l.Remedy {
			fmt.Fprintf(&b, "      → %s\n", r)
		}
	}
	fmt.Fprintf(&b, "%d ok, %s, %d failed\n", count[OK], schema.Pluralize(count[Warn], "warning"), count[Fail])
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteJSON writes {"ok": …, "checks": […]}.
func WriteJSON(w io.Writer, lines []Line) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		OK     bool   `json:"ok"`
		Checks []Line `json:"checks"`
	}{!Failed(lines), lines})
}
