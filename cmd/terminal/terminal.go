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
	if !ok {
		return false
	}
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	// The null device, used by cron and containers, is a character device as well.
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// Colours reports whether colour may be written to w. NO_COLOR is a convention: https://no-color.org
func Colours(w io.Writer) bool { return obeys(w) && os.Getenv("NO_COLOR") == "" }

// obeys reports whether w interprets control sequences.
func obeys(w io.Writer) bool { return Is(w) && os.Getenv("TERM") != "dumb" }

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
