package encoding

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bufbuild/protocompile"
	"github.com/google/go-cmp/cmp"
	"github.com/hamba/avro/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"dfinery-kafka/schema"
)

// wireFields has every type, and names that formats must map.
var wireFields = []Field{
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

// wirePlaces are the test's fields below a header.
func wirePlaces(columns *schema.Columns) []place {
	return places(&Evolution{Fields: wireFields}, &Columns{Declared: []Declaration{{Column: "df_birth", Name: "birth"}}}, columns)
}

// makers write random cells of each kind.
var makers = map[Kind]func(*rand.Rand) string{
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

// randomRow has some of the columns in any order, half of the cells empty.
func randomRow(t *testing.T, r *rand.Rand) (*schema.Row, map[string]string) {
	t.Helper()
	order := r.Perm(len(wireFields) - 1)[:1+r.IntN(len(wireFields)-1)]
	row, cells := &schema.Row{}, map[string]string{}
	var names []string
	for _, i := range order {
		f := wireFields[i]
		names = append(names, f.Column)
		cell := ""
		if r.IntN(2) == 0 {
			cell = makers[f.Type.Kind](r)
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

// meaning is a cell's value by the standard library, as one comparable text.
func meaning(t Type, cell string) string {
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
			text += fmt.Sprintf("%q,", meaning(element, fmt.Sprint(v)))
		}
		return text
	case String:
	}
	return cell
}

// want are the values of a row by field name; null ones are absent.
func want(cells map[string]string) map[string]string {
	values := map[string]string{}
	for _, f := range wireFields {
		if cell := cells[f.Column]; cell != "" {
			values[f.Name] = meaning(f.Type, cell)
		}
	}
	return values
}

const wireSeed1, wireSeed2, wireRows = 7, 11, 3000

func eachRow(t *testing.T, check func(row *schema.Row, want map[string]string)) {
	t.Helper()
	r := rand.New(rand.NewPCG(wireSeed1, wireSeed2))
	for range wireRows {
		row, cells := randomRow(t, r)
		check(row, want(cells))
	}
}

func TestAvro_ReadByHamba(t *testing.T) {
	text, err := AvroSchema("dfinery.events", wireFields)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := avro.ParseBytes(text)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	names := map[string]Field{}
	for _, f := range wireFields {
		names[mapName(f.Name)] = f
	}
	var e avroEncoder
	eachRow(t, func(row *schema.Row, want map[string]string) {
		e.header(wirePlaces(row.Columns), row.Columns)
		b, err := e.append(nil, row)
		if err != nil {
			t.Fatal(err)
		}
		var decoded map[string]any
		if err := avro.Unmarshal(parsed, b, &decoded); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for name, v := range decoded {
			if v != nil {
				f := names[name]
				got[f.Name] = avroMeaning(f.Type, v)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-cells +Avro):\n%s", diff)
		}
	})
}

func avroMeaning(t Type, v any) string {
	if m, ok := v.(map[string]any); ok { // a union's branch, by its name
		for _, branch := range m {
			v = branch
		}
	}
	switch v := v.(type) {
	case float64:
		return fmt.Sprintf("%x", v)
	case time.Time:
		if t.Kind == Date {
			return v.UTC().Format(time.DateOnly)
		}
		return v.UTC().Format(time.RFC3339Nano)
	case *big.Rat:
		return v.FloatString(t.Scale)
	case []any:
		text := "["
		for _, element := range v {
			text += fmt.Sprintf("%q,", avroMeaning(Type{}, element))
		}
		return text
	}
	return fmt.Sprint(v)
}

func TestProtobuf_ReadByDynamicMessage(t *testing.T) {
	text := ProtobufSchema("dfinery.events", wireFields)
	compiler := protocompile.Compiler{Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
		Accessor: protocompile.SourceAccessorFromMap(map[string]string{"events.proto": string(text)}),
	})}
	files, err := compiler.Compile(context.Background(), "events.proto")
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	message := files[0].Messages().Get(0)
	if message.FullName() != "dfinery.events" {
		t.Errorf("the message is called %s", message.FullName())
	}
	var e protobufEncoder
	eachRow(t, func(row *schema.Row, want map[string]string) {
		e.header(wirePlaces(row.Columns), row.Columns)
		b, err := e.append(nil, row)
		if err != nil {
			t.Fatal(err)
		}
		decoded := dynamicpb.NewMessage(message)
		if err := proto.Unmarshal(b, decoded); err != nil {
			t.Fatal(err)
		}
		if len(decoded.GetUnknown()) > 0 {
			t.Fatalf("unknown fields: %x", decoded.GetUnknown())
		}
		got := map[string]string{}
		decoded.Range(func(d protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			i := int(d.Number()) - 1
			got[wireFields[i].Name] = protoMeaning(wireFields[i].Type, v)
			return true
		})
		for name, v := range want {
			if v == "[" { // proto3 does not distinguish an empty array from an absent one
				delete(want, name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-cells +Protobuf):\n%s", diff)
		}
	})
}

func protoMeaning(t Type, v protoreflect.Value) string {
	switch t.Kind {
	case Datetime, DatetimeMicros:
		m := v.Message()
		fields := m.Descriptor().Fields()
		return time.Unix(m.Get(fields.ByName("seconds")).Int(), m.Get(fields.ByName("nanos")).Int()).UTC().Format(time.RFC3339Nano)
	case Double:
		return fmt.Sprintf("%x", v.Float())
	case Decimal:
		return meaning(t, v.String())
	case StringArray, LongArray, DoubleArray:
		text := "["
		for i := range v.List().Len() {
			element := v.List().Get(i)
			if t.Kind == DoubleArray {
				text += fmt.Sprintf("%q,", fmt.Sprintf("%x", element.Float()))
				continue
			}
			text += fmt.Sprintf("%q,", element.String())
		}
		return text
	default:
		return v.String()
	}
}

func TestTypedJSON_ReadByStandardLibrary(t *testing.T) {
	text, err := JSONSchema("dfinery.events", wireFields)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("events.json", document); err != nil {
		t.Fatal(err)
	}
	validator, err := compiler.Compile("events.json")
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for _, empty := range []schema.Empty{schema.EmptyOmit, schema.EmptyNull, schema.EmptyString} {
		e := typedJSONEncoder{empty: empty}
		eachRow(t, func(row *schema.Row, want map[string]string) {
			e.header(wirePlaces(row.Columns), row.Columns)
			b, err := e.append(nil, row)
			if err != nil {
				t.Fatal(err)
			}
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
			if err != nil {
				t.Fatalf("%v: %s", err, b)
			}
			if err := validator.Validate(value); err != nil {
				t.Fatalf("%v: %s", err, b)
			}
			decoder := json.NewDecoder(strings.NewReader(string(b)))
			decoder.UseNumber()
			var decoded map[string]any
			if err := decoder.Decode(&decoded); err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, f := range wireFields {
				v, there := decoded[f.Name]
				switch raw := v.(type) {
				case nil:
					if there && empty == schema.EmptyOmit {
						t.Fatalf("%s is null: %s", f.Name, b)
					}
				case []any:
					text, _ := json.Marshal(raw)
					got[f.Name] = meaning(f.Type, string(text))
				default:
					if there && v != "" {
						got[f.Name] = meaning(f.Type, fmt.Sprint(raw))
					}
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("(-cells +JSON):\n%s\n%s", diff, b)
			}
		})
	}
}

// The members of typed JSON keep the digits that the cells have.
func TestTypedJSON_Digits(t *testing.T) {
	for _, test := range []struct{ types, cell, want string }{
		{"long", "5", "5"}, {"long", "-0", "0"}, {"long", "3.00", "3"}, {"long", "-9223372036854775808", "-9223372036854775808"},
		{"double", "4100", "4100.0"}, {"double", "-0", "-0.0"}, {"double", "1.0E10", "1.0E10"}, {"double", "0.10", "0.10"},
		{"boolean", "TRUE", "true"}, {"boolean", "0", "false"},
		{"datetime", "2026-11-23T10:58:14.500+0900", `"2026-11-23T10:58:14.500+09:00"`}, {"datetime", "2026-11-23T10:58:14+09", `"2026-11-23T10:58:14+09:00"`},
		{"datetime", "2026-11-23T10:58:14Z", `"2026-11-23T10:58:14Z"`}, {"decimal(10,2)", "5.10", `"5.10"`}, {"date", "2026-11-23", `"2026-11-23"`},
		{"array<double>", "[1, 2.5]", "[1.0,2.5]"}, {"array<string>", ` ["a"] `, `["a"]`}, {"string", `a"b`, `"a\"b"`},
	} {
		typ, err := ParseType(test.types)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := appendTypedJSON(nil, typ, []byte(test.cell), false)
		if !ok || string(got) != test.want {
			t.Errorf("%s %s: %s %t, want %s", test.types, test.cell, got, ok, test.want)
		}
	}
}

// A refused cell fails its row alone, or is null and counted.
func TestEncoders_RefusedCell(t *testing.T) {
	columns, err := schema.NewColumns([]string{"df_unified_id", "count"})
	if err != nil {
		t.Fatal(err)
	}
	row := &schema.Row{Columns: columns, Data: []byte("u1x7"), Cells: []schema.Span{{Start: 0, End: 2}, {Start: 2, End: 4}}}
	for _, nulls := range []bool{false, true} {
		counted := 0
		n := Nulls{Publish: nulls, Count: func() { counted++ }}
		for name, e := range map[string]rowEncoder{"avro": &avroEncoder{nulls: n}, "protobuf": &protobufEncoder{nulls: n}, "json": &typedJSONEncoder{nulls: n, empty: schema.EmptyNull}} {
			e.header(wirePlaces(columns), columns)
			_, err := e.append(nil, row)
			switch refused, ok := err.(*ValueError); {
			case nulls && err != nil:
				t.Errorf("%s: %v", name, err)
			case !nulls && (!ok || refused.Column != "count" || string(refused.Cell) != "x7" || refused.Type.Kind != Long):
				t.Errorf("%s: %v", name, err)
			}
		}
		if want := map[bool]int{false: 0, true: 3}[nulls]; counted != want {
			t.Errorf("%d cells were counted, want %d", counted, want)
		}
	}
}

// No encoder allocates for a row.
func TestEncoders_Allocations(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	row, _ := randomRow(t, r)
	buffer := make([]byte, 0, 64<<10)
	for name, e := range map[string]rowEncoder{"avro": &avroEncoder{}, "protobuf": &protobufEncoder{}, "json": &typedJSONEncoder{}} {
		e.header(wirePlaces(row.Columns), row.Columns)
		if n := testing.AllocsPerRun(100, func() { _, _ = e.append(buffer, row) }); n > 0 {
			t.Errorf("%s allocates %v times a row", name, n)
		}
	}
}
