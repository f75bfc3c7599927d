package encoding

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/bufbuild/protocompile"
	"github.com/google/go-cmp/cmp"
	"github.com/hamba/avro/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"dfinery-kafka/schema"
)

// hostileNames are names that are special or not allowed in some language.
var hostileNames = []string{
	"이름", "캠페인 이름", "a-b", "a_x2d_b", "aX2dB", "a_b", "aB", "ab", "AB", "1st", "_x", "__x1_", "a b", "a.b", "a\"b", `a\b`, "a\nb", "a\tb", "a\x00b",
	"null", "true", "optional", "message", "reserved", "string", "int64", "google", "type", "name", "fields", "default", "$schema", "properties", "__proto__",
	"_", "-", "🛍️", "é", "e\u0301", "\u200b", "\ufeff", "a;b", "'a'", "{a}", "[a]", "a=b", "a/b", "//", "/*", "*/", "<a>", strings.Repeat("긴 이름 ", 60), " a", "a ",
}

// wideHeader returns a header of 400 columns, including the hostile names.
func wideHeader(t *testing.T) (*schema.Columns, []string) {
	t.Helper()
	names := append([]string{}, hostileNames...)
	for i := len(names); i < 400; i++ {
		names = append(names, fmt.Sprintf("df_column_%03d", i))
	}
	columns, err := schema.NewColumns(names)
	if err != nil {
		t.Fatal(err)
	}
	cells := make([]string, len(names))
	for i, name := range names {
		cells[i] = "cell of " + name
	}
	return columns, cells
}

// TestWide_Names encodes 400 columns, decodes them with other libraries and compares the cells
// by the columns' original names: no two columns are merged.
func TestWide_Names(t *testing.T) {
	t.Parallel()
	columns, cells := wideHeader(t)
	row := schema.Row{Columns: columns}
	for _, cell := range cells {
		start := uint32(len(row.Data))
		row.Data = append(row.Data, cell...)
		row.Cells = append(row.Cells, schema.Span{Start: start, End: uint32(len(row.Data))})
	}
	e := &Evolution{}
	if n, err := e.Extend(columns.Names, &Columns{}); err != nil || n != len(columns.Names) {
		t.Fatalf("%d fields, %v", n, err)
	}
	e.SetID(len(e.Fields), 7)
	want := map[string]string{}
	for i, name := range columns.Names {
		want[name] = cells[i]
	}
	for format, decode := range map[Format]func(*testing.T, string, []byte) map[string]string{
		FormatTypedJSON: wideJSON, FormatJSONSchema: wideJSON, FormatAvro: wideAvro, FormatProtobuf: wideProtobuf,
	} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			text := ""
			if format.Registered() {
				var err error
				if text, err = format.SchemaText("dfinery.events", e.Fields); err != nil {
					t.Fatal(err)
				}
			}
			typed, err := NewTyped(&Options{Format: format}, e, columns)
			if err != nil {
				t.Fatal(err)
			}
			value, err := typed.Append(nil, &row)
			if err != nil {
				t.Fatal(err)
			}
			value = value[len(typed.prefix):]
			if diff := cmp.Diff(want, decode(t, text, value)); diff != "" {
				t.Errorf("(-cells +read):\n%s", diff)
			}
		})
	}
}

func wideJSON(t *testing.T, _ string, value []byte) map[string]string {
	t.Helper()
	var got map[string]string
	if err := json.Unmarshal(value, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func wideAvro(t *testing.T, text string, value []byte) map[string]string {
	t.Helper()
	parsed, err := avro.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	var decoded map[string]any
	if err := avro.Unmarshal(parsed, value, &decoded); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range parsed.(*avro.RecordSchema).Fields() {
		name := f.Name()
		if column, ok := f.Prop("column").(string); ok {
			name = column
		}
		got[name] = fmt.Sprint(decoded[f.Name()])
		if branch, ok := decoded[f.Name()].(map[string]any); ok {
			got[name] = fmt.Sprint(branch["string"])
		}
	}
	return got
}

func wideProtobuf(t *testing.T, text string, value []byte) map[string]string {
	t.Helper()
	compiler := protocompile.Compiler{Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
		Accessor: protocompile.SourceAccessorFromMap(map[string]string{"events.proto": text}),
	})}
	files, err := compiler.Compile(context.Background(), "events.proto")
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	message := dynamicpb.NewMessage(files[0].Messages().Get(0))
	if err := proto.Unmarshal(value, message); err != nil || len(message.GetUnknown()) > 0 {
		t.Fatalf("%v, unknown fields %x", err, message.GetUnknown())
	}
	got := map[string]string{}
	message.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		// If another field has the name, the number of the field is appended.
		got[strings.TrimSuffix(f.JSONName(), fmt.Sprintf("_%d", f.Number()))] = v.String()
		return true
	})
	return got
}

// TestExtend_Collisions: two columns that would be the same field are an error that names
// both, and the evolution is not changed.
func TestExtend_Collisions(t *testing.T) {
	t.Parallel()
	columns := &Columns{Declared: []Declaration{{Column: "쿠폰", Name: "coupon"}}}
	for name, header := range map[string][]string{
		"in one header": {"id", "쿠폰", "coupon"}, "the other way round": {"id", "coupon", "쿠폰"}, "in a later header": {"coupon"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &Evolution{}
			if name == "in a later header" {
				if _, err := e.Extend([]string{"id", "쿠폰"}, columns); err != nil {
					t.Fatal(err)
				}
			}
			before := e.Clone()
			_, err := e.Extend(header, columns)
			conflict, ok := errors.AsType[*ConflictError](err)
			if !ok || !strings.Contains(conflict.Reason, "쿠폰") || !strings.Contains(conflict.Reason, "the field coupon") {
				t.Errorf("the error is %v", err)
			}
			if diff := cmp.Diff(before, e); diff != "" {
				t.Errorf("the evolution has changed:\n%s", diff)
			}
		})
	}
}
