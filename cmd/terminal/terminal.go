// Package terminal has output for terminals: colour and progress bars.
package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Is reports whether f, an *os.File, is a terminal.
func Is(f any) bool {
	file, ok := f.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// Colours reports whether colour may be written to w. NO_COLOR is a convention:
// https://no-color.org
func Colours(w io.Writer) bool { return supportsControl(w) && os.Getenv("NO_COLOR") == "" }

// supportsControl reports whether w interprets control sequences.
func supportsControl(w io.Writer) bool { return Is(w) && os.Getenv("TERM") != "dumb" }

// Width is the width of a line of w in characters; 0 if w is not a terminal, or does not report it.
func Width(w io.Writer) int {
	if !Is(w) {
		return 0
	}
	width, _, err := term.GetSize(int(w.(*os.File).Fd()))
	if err != nil {
		return 0
	}
	return width
}
