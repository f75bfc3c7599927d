package main

import (
	"context"
	"fmt"
	"log/slog"
)

// feed shows a readable excerpt of the connector's log: a line for each export that
// published or failed, and all warnings and errors.
type feed struct{ *printer }

// Enabled implements slog.Handler.
func (f feed) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// WithAttrs implements slog.Handler; the connector's logger is used as it is.
func (f feed) WithAttrs([]slog.Attr) slog.Handler { return f }

// WithGroup implements slog.Handler.
func (f feed) WithGroup(string) slog.Handler { return f }

// Handle implements slog.Handler.
func (f feed) Handle(_ context.Context, r slog.Record) error {
	attrs := map[string]slog.Value{}
	r.Attrs(func(a slog.Attr) bool {
		attrs[a.Key] = a.Value
		return true
	})
	_, isExport := attrs["export"]
	switch {
	case isExport && r.Level >= slog.LevelWarn:
		f.line(red, "   %s  export %s  %s after %s rows; %s were published", attrs["day"], attrs["export"], attrs["code"], attrs["rows"], attrs["published"])
	case isExport && attrs["published"].String() != "0":
		f.line(plain, "   %s  export %s  %s rows: %s published, %s known already, %s bad", attrs["day"], attrs["export"], attrs["rows"],
			attrs["published"], attrs["known"], attrs["bad"])
	case isExport:
	case r.Level >= slog.LevelWarn:
		text := r.Message
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "do" {
				return true // not shown: the demo recovers without action
			}
			value := a.Value.String()
			if a.Value.Kind() == slog.KindTime {
				value = a.Value.Time().Format("15:04:05.000")
			}
			text += fmt.Sprintf("  %s=%s", a.Key, value)
			return true
		})
		f.line(yellow, "   %s", text)
	}
	return nil
}
