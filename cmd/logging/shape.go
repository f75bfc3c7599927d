package logging

import (
	"fmt"
	"log/slog"
	"regexp"
	"time"
)

// shapeOf is equal for a line and its repetitions: it ignores times, durations, numbers and
// local ports.
func shapeOf(with string, r slog.Record) string {
	shape := fmt.Appendf(nil, "%d\x00%s\x00%s", r.Level, r.Message, with)
	r.Attrs(func(a slog.Attr) bool {
		shape = appendShape(shape, a)
		return true
	})
	return string(shape)
}

func appendShape(shape []byte, a slog.Attr) []byte {
	value := a.Value.Resolve()
	shape = append(append(shape, 0), a.Key...)
	switch value.Kind() {
	case slog.KindTime, slog.KindDuration, slog.KindInt64, slog.KindUint64, slog.KindFloat64:
		return shape
	case slog.KindGroup:
		for _, member := range value.Group() {
			shape = appendShape(shape, member)
		}
		return append(shape, 1)
	}
	text := value.String()
	if _, err := time.ParseDuration(text); err == nil { // a duration as text
		return shape
	}
	return append(append(shape, '='), ownPort.ReplaceAllLiteralString(text, "->")...)
}

// ownPort matches the local port in an error of package net, which differs for each connection:
// "read tcp 10.0.0.1:41974->10.0.0.2:9092: i/o timeout".
var ownPort = regexp.MustCompile(`:[0-9]+->`)
