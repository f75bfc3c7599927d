package encoding

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hamba/avro/v2"

	"dfinery-kafka/schema"
)

// TestAvro_ReadByHamba encodes random rows as Avro, decodes them with hamba/avro and compares
// the values.
func TestAvro_ReadByHamba(t *testing.T) {
	text, err := AvroSchema("dfinery.events", randomFields)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := avro.ParseBytes(text)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	names := map[string]Field{}
	for _, f := range randomFields {
		names[mapName(f.Name)] = f
	}
	var e avroEncoder
	eachRow(t, func(row *schema.Row, want map[string]string) {
		e.header(placesBelow(row.Columns), row.Columns)
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
				got[f.Name] = avroText(f.Type, v)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-cells +Avro):\n%s", diff)
		}
	})
}

func avroText(t Type, v any) string {
	if m, ok := v.(map[string]any); ok { // a union: its branch by type name
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
			text += fmt.Sprintf("%q,", avroText(Type{}, element))
		}
		return text
	}
	return fmt.Sprint(v)
}
