package encoding

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"dfinery-kafka/schema"
)

// TestTypedJSON_ReadByStandardLibrary encodes random rows as typed JSON, validates them
// against their JSON Schema, decodes them with the standard library and compares the values.
func TestTypedJSON_ReadByStandardLibrary(t *testing.T) {
	text, err := JSONSchema("dfinery.events", randomFields)
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
			e.header(placesBelow(row.Columns), row.Columns)
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
			for _, f := range randomFields {
				v, there := decoded[f.Name]
				switch raw := v.(type) {
				case nil:
					if there && empty == schema.EmptyOmit {
						t.Fatalf("%s is null: %s", f.Name, b)
					}
				case []any:
					text, _ := json.Marshal(raw)
					got[f.Name] = comparableText(f.Type, string(text))
				default:
					if there && v != "" {
						got[f.Name] = comparableText(f.Type, fmt.Sprint(raw))
					}
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("(-cells +JSON):\n%s\n%s", diff, b)
			}
		})
	}
}

// TestTypedJSON_Digits: values of typed JSON keep the digits of their cells.
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
