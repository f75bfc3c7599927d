package encoding

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind is a column type without its parameters.
type Kind uint8

// The kinds of types. The zero Kind is String: an undeclared column keeps the bytes
// of its cells.
const (
	String Kind = iota
	Long
	Double
	Boolean
	Date
	Datetime       // milliseconds since 1970-01-01T00:00:00Z
	DatetimeMicros // microseconds, written datetime(6)
	Decimal
	StringArray
	LongArray
	DoubleArray
)

// Type is the type of a column. Precision and Scale are those of a decimal:
// 1 to MaxPrecision digits, of which 0 to Precision are after the point.
type Type struct {
	Kind             Kind
	Precision, Scale int
}

// MaxPrecision is the maximum number of digits of a decimal.
const MaxPrecision = 38

var kindNames = map[Kind]string{
	String: "string", Long: "long", Double: "double", Boolean: "boolean", Date: "date", Datetime: "datetime", DatetimeMicros: "datetime(6)",
	StringArray: "array<string>", LongArray: "array<long>", DoubleArray: "array<double>",
}

// String returns the type in the syntax of ParseType.
func (t Type) String() string {
	if t.Kind == Decimal {
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	}
	return kindNames[t.Kind]
}

// ParseType parses a type: string, long, double, boolean, date, datetime,
// datetime(6), decimal(p,s), array<string>, array<long> or array<double>.
func ParseType(text string) (Type, error) {
	for kind, name := range kindNames {
		if text == name {
			return Type{Kind: kind}, nil
		}
	}
	inner, ok := strings.CutPrefix(text, "decimal(")
	inner, closed := strings.CutSuffix(inner, ")")
	if !ok || !closed {
		return Type{}, fmt.Errorf("unknown type %q; use string, long, double, boolean, date, datetime, datetime(6), decimal(p,s), array<string>, array<long> or array<double>", text)
	}
	p, s, _ := strings.Cut(inner, ",")
	precision, err := strconv.Atoi(strings.TrimSpace(p))
	scale, err2 := strconv.Atoi(strings.TrimSpace(s))
	switch {
	case err != nil || err2 != nil:
		return Type{}, fmt.Errorf("type %q: write decimal(p,s) with two numbers", text)
	case precision < 1 || precision > MaxPrecision:
		return Type{}, fmt.Errorf("type %q: the precision must be 1 to %d", text, MaxPrecision)
	case scale < 0 || scale > precision:
		return Type{}, fmt.Errorf("type %q: the scale must be 0 to %d, the precision", text, precision)
	}
	return Type{Kind: Decimal, Precision: precision, Scale: scale}, nil
}

// MarshalText implements encoding.TextMarshaler.
func (t Type) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Type) UnmarshalText(text []byte) error {
	parsed, err := ParseType(string(text))
	if err == nil {
		*t = parsed
	}
	return err
}

// Accepts reports whether a cell is a value of the type. An empty cell is null,
// which every type allows.
func (t Type) Accepts(cell []byte) bool {
	if len(cell) == 0 {
		return true
	}
	ok := true
	switch t.Kind {
	case Long:
		_, ok = parseLong(cell)
	case Double:
		_, ok = parseDouble(cell)
	case Boolean:
		_, ok = parseBoolean(cell)
	case Date:
		_, ok = parseDate(cell)
	case Datetime:
		_, ok = parseDatetime(cell, millis)
	case DatetimeMicros:
		_, ok = parseDatetime(cell, micros)
	case Decimal:
		_, ok = parseDecimal(cell, t.Precision, t.Scale)
	case StringArray, LongArray, DoubleArray:
		_, ok = scanArray(cell, t.Kind, nil)
	case String:
	}
	return ok
}
