package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"dfinery-kafka/cmd/terminal"
	"dfinery-kafka/pipeline/deadletter"
)

// letterTable writes one line per letter, as letters are read. A column is as wide as the
// widest expected cell, or the widest so far, because not all letters are known in advance.
type letterTable struct {
	out    io.Writer
	widths []int
	detail int // maximum width of the last column
}

// wholeDetail is how much of a letter's detail a table shows if the terminal does not limit its
// width.
const wholeDetail = 100

func newLetterTable(out io.Writer, names int) *letterTable {
	t := &letterTable{out: out, widths: []int{names, len(time.RFC3339) - len("07:00"), longest(streamNames()), len(time.DateOnly), len("export"), longest(codes()), len(deadletter.Resolved)}}
	t.detail = wholeDetail
	if width := terminal.Width(out); width > 0 {
		for _, w := range t.widths {
			width -= w + len(columnGap)
		}
		t.detail = min(wholeDetail, max(width, 20))
	}
	return t
}

const columnGap = "  "

// longest is the length of the longest text, in characters.
func longest(texts []string) (n int) {
	for _, text := range texts {
		n = max(n, utf8.RuneCountInString(text))
	}
	return n
}

func (t *letterTable) header() error {
	return t.line([]string{"NAME", "FAILED AT", "STREAM", "DAY", "KIND", "CODE", "STATE"}, "DETAIL")
}

func (t *letterTable) letter(l *deadletter.Letter) error {
	return t.line([]string{l.Name, l.FailedAt.UTC().Format(time.RFC3339), l.Stream, l.Day.String(), l.Kind, string(l.Error.Code), string(l.Resolution)}, shortened(l.Error.Detail, t.detail))
}

func (t *letterTable) line(cells []string, last string) error {
	var b strings.Builder
	for i, cell := range cells {
		t.widths[i] = max(t.widths[i], utf8.RuneCountInString(cell))
		b.WriteString(padded(cell, t.widths[i]) + columnGap)
	}
	_, err := fmt.Fprintln(t.out, b.String()+last)
	return err
}

// shortened returns text on one line, of at most maxRunes characters, without control characters.
func shortened(text string, maxRunes int) string {
	text = strings.Join(strings.Fields(visible(text)), " ")
	if runes := []rune(text); len(runes) > maxRunes {
		text = string(runes[:maxRunes-1]) + "…"
	}
	return text
}
