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

// letterTable writes a line a letter, as it comes. A column is as wide as the widest cell that is to be expected, or the
// widest so far: to know the widest of all, all would have to be read first.
type letterTable struct {
	out    io.Writer
	widths []int
	most   int // of the last column's characters
}

// wholeDetail is as much of a letter's detail as a table shows, where its lines are not cut by the terminal's width.
const wholeDetail = 100

func newLetterTable(out io.Writer, names int) *letterTable {
	t := &letterTable{out: out, widths: []int{names, len(time.RFC3339) - len("07:00"), longest(streamNames()), len(time.DateOnly), len("export"), longest(codes()), len(deadletter.Resolved)}}
	t.most = wholeDetail
	if width := terminal.Width(out); width > 0 {
		for _, w := range t.widths {
			width -= w + len(columnGap)
		}
		t.most = min(wholeDetail, max(width, 20))
	}
	return t
}

const columnGap = "  "

// longest is how many characters the longest of some texts has.
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
	return t.line([]string{l.Name, l.FailedAt.UTC().Format(time.RFC3339), l.Stream, l.Day.String(), l.Kind, string(l.Error.Code), string(l.Resolution)}, shortened(l.Error.Detail, t.most))
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

// shortened is a text on one line, of so many characters at most, without what a terminal would obey.
func shortened(text string, most int) string {
	text = strings.Join(strings.Fields(visible(text)), " ")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most-1]) + "…"
	}
	return text
}
