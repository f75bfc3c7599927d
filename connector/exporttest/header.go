package exporttest

import (
	"slices"

	"dfinery-kafka/schema"
)

// Header returns the columns of one export, given those of the data, which it may change in
// place. A column that it omits is not exported; one that is not in the data is empty in every
// row. For an export of several days it is called for the last one.
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

// EmptyColumn inserts a column without values after the first one, in the odd exports of one
// day and the even ones of the next.
func EmptyColumn(name string) Header {
	return func(day schema.Day, export int, columns []string) []string {
		if (int(day)+export)%2 == 0 {
			return columns
		}
		return slices.Insert(columns, 1, name)
	}
}

// Rotated rotates the columns by one position for each day and each export.
func Rotated(day schema.Day, export int, columns []string) []string {
	by := (int(day) + export) % len(columns)
	return append(columns[by:len(columns):len(columns)], columns[:by]...)
}

// Headers applies several Headers in order.
func Headers(headers ...Header) Header {
	return func(day schema.Day, export int, columns []string) []string {
		for _, h := range headers {
			columns = h(day, export, columns)
		}
		return columns
	}
}
