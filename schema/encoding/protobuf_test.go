package encoding

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/bufbuild/protocompile"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"dfinery-kafka/schema"
)

// TestProtobuf_ReadByDynamicMessage encodes random rows as Protobuf, decodes them with the
// schema's text and compares the values.
func TestProtobuf_ReadByDynamicMessage(t *testing.T) {
	text := ProtobufSchema("dfinery.events", randomFields)
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
		e.header(placesBelow(row.Columns), row.Columns)
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
			got[randomFields[i].Name] = protobufText(randomFields[i].Type, v)
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

// TestProtobufSchema_Google: a record's name may contain the name of the package of timestamps.
func TestProtobufSchema_Google(t *testing.T) {
	t.Parallel()
	for _, record := range []string{"google.Event", "com.google.Event", "shop.google", "Event"} {
		text := ProtobufSchema(record, []Field{{Column: "google", Name: "google", Type: Type{Kind: Datetime}}})
		compiler := protocompile.Compiler{Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
			Accessor: protocompile.SourceAccessorFromMap(map[string]string{"events.proto": string(text)}),
		})}
		if _, err := compiler.Compile(t.Context(), "events.proto"); err != nil {
			t.Errorf("%v: %s", err, text)
		}
	}
}

func protobufText(t Type, v protoreflect.Value) string {
	switch t.Kind {
	case Datetime, DatetimeMicros:
		m := v.Message()
		fields := m.Descriptor().Fields()
		return time.Unix(m.Get(fields.ByName("seconds")).Int(), m.Get(fields.ByName("nanos")).Int()).UTC().Format(time.RFC3339Nano)
	case Double:
		return fmt.Sprintf("%x", v.Float())
	case Decimal:
		return comparableText(t, v.String())
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
