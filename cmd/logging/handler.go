package logging

import (
	"io"
	"log/slog"
	"time"
)

// Window is how long the program drops repetitions of a warning.
const Window = time.Minute

// NewHandler writes lines as JSON objects or as text. All times are UTC whatever the machine's
// time zone, because operators compare the logs of several machines, dead letters and the
// ledger.
func NewHandler(w io.Writer, level slog.Leveler, text bool) slog.Handler {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Value.Kind() == slog.KindTime {
			a.Value = slog.TimeValue(a.Value.Time().UTC())
		}
		return a
	}}
	if text {
		return slog.NewTextHandler(w, options)
	}
	return slog.NewJSONHandler(w, options)
}
