package exporttest

import (
	"slices"

	"dfinery-kafka/schema"
)

// Header makes the columns of one export from those that the data has, which it may change in place. A column that it
// leaves out is not exported; one that the data does not know is empty in every row. For an export of several days it
// is asked for the last one.
type Header func(day schema.Day, export int, columns []string) []string

// NewColumn makes a column of the data exist only from a day on.
func NewColumn(name string, from schema.Day) Header {
	return func(day schema.Day, _ int, columns []string) []string {
		if day >= from {
			return columns
		}
		return slices.DeleteFunc(columns, func(c string) bool { return c == name })
	}
}

// EmptyColumn puts a column without any value behind the first one in every second export of a day, and the other way round the day after.
func EmptyColumn(name string) Header {
	return func(day schema.Day, export int, columns []string) []string {
		if (int(day)+export)%2 == 0 {
			return columns
		}
		return slices.Insert(columns, 1, name)
	}
}

// Rotated moves the columns by one place a day and an export, around the end.
func Rotated(day schema.Day, export int, columns []string) []string {
	by := (int(day) + export) % len(columns)
	return append(columns[by:len(columns):len(columns)], columns[:by]...)
}

// Headers is one Header after another.
func Headers(headers ...Header) Header {
	return func(day schema.Day, export int, columns []string) []string {
		for _, h := range headers {
			columns = h(day, export, columns)
		}
		return columns
	}
}
