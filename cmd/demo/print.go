package main

import (
	"fmt"
	"io"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// colour is the parameter of the escape sequence ESC [ … m: ECMA-48, 8.3.117.
type colour string

const (
	plain  colour = ""
	bold   colour = "1"
	faint  colour = "2"
	red    colour = "31"
	green  colour = "32"
	yellow colour = "33"
)

// printer writes complete lines. It is safe for concurrent use: other goroutines write
// the connector's log.
type printer struct {
	colours bool

	mu  sync.Mutex
	out io.Writer
}

func (p *printer) line(c colour, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if p.colours && c != plain {
		text = "\x1b[" + string(c) + "m" + text + "\x1b[0m"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(p.out, text)
}

func (s *demoRun) headline(text string) {
	s.steps++
	s.line(plain, "")
	s.line(bold, "%d  %s", s.steps, text)
}

// number formats n with commas between groups of three digits.
func number(n int) string { return message.NewPrinter(language.English).Sprint(n) }

// shorten truncates text to n characters.
func shorten(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n]) + "…"
	}
	return text
}
