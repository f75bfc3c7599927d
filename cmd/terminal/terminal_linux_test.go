package terminal_test

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"dfinery-kafka/cmd/terminal"
)

// pseudoterminal returns the end of a pseudoterminal that a program writes to, and a function
// that returns its output.
func pseudoterminal(t *testing.T) (program *os.File, screen func() string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = master.Close() })
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Skip(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Skip(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 100}); err != nil {
		t.Fatal(err)
	}
	if program, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Skip(err)
	}
	read := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(master) // ends with EIO once the program's end is closed
		read <- string(text)
	}()
	return program, func() string {
		_ = program.Close()
		return <-read
	}
}

// TestProgressOnTerminal: a progress bar is removed before a line of the log is printed, and
// at the end.
func TestProgressOnTerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	out, screen := pseudoterminal(t)
	if !terminal.Is(out) || terminal.Colours(out) {
		t.Errorf("Is = %t, Colours with NO_COLOR = %t", terminal.Is(out), terminal.Colours(out))
	}
	p := terminal.NewProgress(out, "exported")
	p.At(3, 7, " days")
	if _, err := io.WriteString(p, "a line of the log\n"); err != nil {
		t.Error(err)
	}
	p.End()
	drawn := regexp.MustCompile(`[\r\n]+`).Split(screen(), -1)
	var lines []string
	for _, line := range drawn {
		line = strings.TrimSpace(regexp.MustCompile(`\|█+ *\|.*`).ReplaceAllString(line, "|BAR|"))
		if line != "" {
			lines = append(lines, line)
		}
	}
	if diff := cmp.Diff([]string{"exported 3 of 7 days  42% |BAR|", "a line of the log"}, lines); diff != "" || !p.Bar() {
		t.Errorf("what was drawn (-want +got):\n%s\n%q", diff, drawn)
	}
}

// TestNoTerminal: files and buffers are not terminals, and a dumb terminal does not support
// control sequences.
func TestNoTerminal(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	if terminal.Is(null) || terminal.Is(&bytes.Buffer{}) {
		t.Error("the null device or a buffer is taken for a terminal")
	}
	t.Setenv("TERM", "dumb")
	out, screen := pseudoterminal(t)
	if !terminal.Is(out) || terminal.Colours(out) || terminal.NewProgress(out, "x").Bar() {
		t.Errorf("a dumb terminal: Is = %t, Colours = %t", terminal.Is(out), terminal.Colours(out))
	}
	screen()
}
