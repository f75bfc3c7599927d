package logs

import (
	"fmt"
	"log/slog"
	"time"
)

// shapeOf is what a line has in common with its repetitions: all but times, durations and numbers.
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
	if _, err := time.ParseDuration(text); err == nil { // a duration written out
		return shape
	}
	return append(append(shape, '='), text...)
}
