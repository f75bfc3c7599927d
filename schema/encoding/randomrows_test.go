package encoding

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"dfinery-kafka/schema"
)

// randomFields has a field of every type, and names that Avro and Protobuf do not allow.
var randomFields = []Field{
	{"df_unified_id", "df_unified_id", Type{}},
	{"count", "count", Type{Kind: Long}},
	{"df_discount", "df_discount", Type{Kind: Double}},
	{"flag", "flag", Type{Kind: Boolean}},
	{"df_birth", "birth", Type{Kind: Date}},
	{"df_server_datetime", "df_server_datetime", Type{Kind: Datetime}},
	{"precise", "precise", Type{Kind: DatetimeMicros}},
	{"amount", "amount", Type{Decimal, 20, 4}},
	{"이름", "이름", Type{}},
	{"a-b", "a-b", Type{Kind: StringArray}},
	{"a_x2d_b", "a_x2d_b", Type{Kind: LongArray}},
	{"prices", "prices", Type{Kind: DoubleArray}},
	{"later", "later", Type{}}, // in no header
}

// placesBelow returns the places of randomFields in rows with these columns.
func placesBelow(columns *schema.Columns) []place {
	return places(&Evolution{Fields: randomFields}, &Columns{Declared: []Declaration{{Column: "df_birth", Name: "birth"}}}, columns)
}

// randomCells return a random cell of each kind.
var randomCells = map[Kind]func(*rand.Rand) string{
	String: func(r *rand.Rand) string {
		return pick(r, "u1", "가나다", "a\"b\\c\n\t\x01", "007", " ", strings.Repeat("x", r.IntN(300)+1))
	},
	Long: func(r *rand.Rand) string {
		return pick(r, strconv.FormatInt(int64(r.Uint64()), 10), "0", "-0", "3.00", "-1")
	},
	Double: func(r *rand.Rand) string {
		return pick(r, strconv.FormatFloat(math.Float64frombits(r.Uint64()&^(0x7ff<<52)|uint64(r.IntN(2046))<<52), 'e', -1, 64), "4100", "1.0E10", "-0", "1e-400", "0.1")
	},
	Boolean: func(r *rand.Rand) string { return pick(r, "true", "FALSE", "1", "0") },
	Date: func(r *rand.Rand) string {
		return time.Unix(r.Int64N(253402300800+62135596800)-62135596800, 0).UTC().Format(time.DateOnly)
	},
	Datetime: func(r *rand.Rand) string {
		return time.UnixMilli(r.Int64N(4e12)-1e12).In(time.FixedZone("", (r.IntN(37)-18)*3600)).Format("2006-01-02T15:04:05.000") + pick(r, "Z", "+0900", "-03:30", "+09")
	},
	DatetimeMicros: func(r *rand.Rand) string {
		return time.UnixMicro(r.Int64N(4e15) - 1e15).UTC().Format("2006-01-02T15:04:05.000000Z07:00")
	},
	Decimal: func(r *rand.Rand) string {
		return fmt.Sprintf("%s%d.%04d", pick(r, "", "-"), r.Int64N(1e15), r.IntN(10000))
	},
	StringArray: func(r *rand.Rand) string { return pick(r, "[]", `["a", "가\ud83d\udecd"]`, `["\n"]`) },
	LongArray:   func(r *rand.Rand) string { return pick(r, "[]", "[1,-2,9223372036854775807]", " [ 3.0 ] ") },
	DoubleArray: func(r *rand.Rand) string { return pick(r, "[]", "[1,2.5,-3e2]") },
}

func pick(r *rand.Rand, list ...string) string { return list[r.IntN(len(list))] }

// randomRow returns a row of some of the columns in random order, with half of the cells
// empty, and its cells by column.
func randomRow(t *testing.T, r *rand.Rand) (*schema.Row, map[string]string) {
	t.Helper()
	order := r.Perm(len(randomFields) - 1)[:1+r.IntN(len(randomFields)-1)]
	row, cells := &schema.Row{}, map[string]string{}
	var names []string
	for _, i := range order {
		f := randomFields[i]
		names = append(names, f.Column)
		cell := ""
		if r.IntN(2) == 0 {
			cell = randomCells[f.Type.Kind](r)
		}
		cells[f.Column] = cell
		start := uint32(len(row.Data))
		row.Data = append(row.Data, cell...)
		row.Cells = append(row.Cells, schema.Span{Start: start, End: uint32(len(row.Data))})
	}
	var err error
	if row.Columns, err = schema.NewColumns(names); err != nil {
		t.Fatal(err)
	}
	return row, cells
}

// comparableText returns the value of a cell, parsed with the standard library, as text
// in a form that is equal for equal values.
func comparableText(t Type, cell string) string {
	switch t.Kind {
	case Long:
		r, _ := new(big.Rat).SetString(cell)
		return r.Num().String()
	case Double:
		f, _ := strconv.ParseFloat(cell, 64)
		return fmt.Sprintf("%x", f)
	case Boolean:
		return strconv.FormatBool(cell == "1" || strings.EqualFold(cell, "true"))
	case Date:
		return cell
	case Datetime, DatetimeMicros:
		at, _ := referenceDatetime(cell)
		return at.UTC().Format(time.RFC3339Nano)
	case Decimal:
		r, _ := new(big.Rat).SetString(cell)
		return r.FloatString(t.Scale)
	case StringArray, LongArray, DoubleArray:
		var list []any
		decoder := json.NewDecoder(strings.NewReader(cell))
		decoder.UseNumber()
		_ = decoder.Decode(&list)
		element := Type{Kind: map[Kind]Kind{StringArray: String, LongArray: Long, DoubleArray: Double}[t.Kind]}
		text := "["
		for _, v := range list {
			text += fmt.Sprintf("%q,", comparableText(element, fmt.Sprint(v)))
		}
		return text
	case String:
	}
	return cell
}

// wantedValues returns the comparable texts of a row by field name, without those that are null.
func wantedValues(cells map[string]string) map[string]string {
	values := map[string]string{}
	for _, f := range randomFields {
		if cell := cells[f.Column]; cell != "" {
			values[f.Name] = comparableText(f.Type, cell)
		}
	}
	return values
}

const rowSeed1, rowSeed2, randomRows = 7, 11, 3000

// eachRow calls check with random rows and their comparable texts.
func eachRow(t *testing.T, check func(row *schema.Row, want map[string]string)) {
	t.Helper()
	r := rand.New(rand.NewPCG(rowSeed1, rowSeed2))
	for range randomRows {
		row, cells := randomRow(t, r)
		check(row, wantedValues(cells))
	}
}
