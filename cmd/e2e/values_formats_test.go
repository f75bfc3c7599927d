package e2e

import (
	"context"
	encodingbinary "encoding/binary"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bufbuild/protocompile"
	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// typedColumns declares two columns; standard columns have types without a declaration.
const typedColumns = "df_total_purchase_amount:decimal(12,2),df_app_version:string:app-version"

// registryURL returns the URL of a registry: REGISTRY_TEST_URL (deploy/registry-up.sh), or that
// of a fake one in this process.
func registryURL(t *testing.T) string {
	t.Helper()
	if url := os.Getenv("REGISTRY_TEST_URL"); url != "" {
		return url
	}
	fake := srfake.New()
	t.Cleanup(fake.Close)
	return fake.URL()
}

// newTyped returns a service whose columns are moved, added, removed and changed between days.
func newTyped(t *testing.T, format, registry string) *testbed {
	t.Helper()
	today := currentDay()
	b := newTestbed(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1},
		Data: exporttest.Data{
			Seed: 5, RowsPerDay: 400, Columns: 24, Duplicates: 0.05, Late: 0.2, LateFrom: 2,
			Header: exporttest.Headers(exporttest.Rotated, exporttest.NewColumn("캠페인 이름", today-2), exporttest.NewColumn("a-b", today-1), exporttest.EmptyColumn("df_nothing")),
		},
	})
	b.unlimited()
	b.pollEvery("20ms")
	b.set("STREAM_EVENTS_START", "4", "STREAM_EVENTS_FORMAT", format, "STREAM_EVENTS_COLUMNS", typedColumns)
	if registry != "" {
		b.set("SCHEMA_REGISTRY_URL", registry)
	}
	return b
}

// TestValues_Formats publishes days with different columns in every format, and reads the values
// with other libraries: each cell is compared by value and type.
func TestValues_Formats(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json-typed", "json-schema", "avro", "protobuf"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			registry := ""
			if format != "json-typed" {
				registry = registryURL(t)
			}
			b := newTyped(t, format, registry)
			b.runOnce(0)
			b.runOnce(0) // late rows, after a restart
			compareRows(t, newRows(b.servedTyped()...), newRows(b.publishedTyped(format, registry)...))
		})
	}
}

// servedTyped returns the rows that the API has served, by field name. Cells are in a normalized
// form, equal for equal values of a type.
func (b *testbed) servedTyped() []map[string]string {
	var rows []map[string]string
	for _, served := range b.served(schema.Event) {
		row := map[string]string{}
		for text := range strings.SplitSeq(strings.TrimSuffix(string(served), "\xff"), "\xff") {
			column, cell, _ := strings.Cut(text, "\xfe")
			switch column {
			case "df_app_version":
				row["app-version"] = cell
			case "df_total_purchase_amount":
				r, _ := new(big.Rat).SetString(cell)
				row[column] = r.FloatString(2)
			case "df_discount", "df_delivery_charge", "df_total_refund_amount":
				f, _ := strconv.ParseFloat(cell, 64)
				row[column] = fmt.Sprintf("%x", f)
			case "df_server_datetime", "df_correction_datetime":
				at, err := time.Parse(time.RFC3339Nano, cell)
				if err != nil {
					b.t.Fatal(err)
				}
				row[column] = at.UTC().Format(time.RFC3339Nano)
			default:
				row[column] = cell
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// publishedTyped decodes the stream's topic with the schemas of the registry.
func (b *testbed) publishedTyped(format, registry string) []map[string]string {
	b.t.Helper()
	return b.valuesOf(b.consume("events", kgo.ReadUncommitted()), format, registry)
}

// valuesOf decodes the values of records.
func (b *testbed) valuesOf(messages []message, format, registry string) []map[string]string {
	b.t.Helper()
	d := &valueReader{t: b.t, format: format, decoders: map[int]func([]byte) map[string]string{}}
	if registry != "" {
		client, err := sr.NewClient(sr.URLs(registry))
		if err != nil {
			b.t.Fatal(err)
		}
		d.client = client
	}
	var rows []map[string]string
	for _, m := range messages {
		rows = append(rows, d.read([]byte(m.Value)))
	}
	return rows
}

// valueReader decodes values with libraries that the program does not use.
type valueReader struct {
	t        *testing.T
	format   string
	client   *sr.Client
	decoders map[int]func([]byte) map[string]string
}

func (d *valueReader) read(value []byte) map[string]string {
	d.t.Helper()
	if d.format == "json" {
		var cells map[string]string
		if err := json.Unmarshal(value, &cells); err != nil {
			d.t.Fatalf("%v: %s", err, value)
		}
		return cells
	}
	if d.client == nil {
		return readTypedJSON(d.t, value)
	}
	if len(value) < 5 || value[0] != 0 {
		d.t.Fatalf("a value has no header of a schema id: %x", value[:min(5, len(value))])
	}
	id := int(encodingbinary.BigEndian.Uint32(value[1:]))
	decode := d.decoders[id]
	if decode == nil {
		s, err := d.client.SchemaByID(context.Background(), id)
		if err != nil {
			d.t.Fatalf("schema %d: %v", id, err)
		}
		decode = d.decoder(s.Schema)
		d.decoders[id] = decode
	}
	return decode(value[5:])
}

func (d *valueReader) decoder(text string) func([]byte) map[string]string {
	switch d.format {
	case "avro":
		return avroDecoder(d.t, text)
	case "protobuf":
		return protobufDecoder(d.t, text)
	}
	return func(value []byte) map[string]string { return readTypedJSON(d.t, value) }
}

// readTypedJSON infers a value's type from its JSON: a quoted number is not a number.
func readTypedJSON(t *testing.T, value []byte) map[string]string {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(value)))
	decoder.UseNumber()
	var members map[string]any
	if err := decoder.Decode(&members); err != nil {
		t.Fatalf("%v: %s", err, value)
	}
	row := map[string]string{}
	for name, v := range members {
		switch v := v.(type) {
		case nil:
		case json.Number:
			f, _ := v.Float64()
			row[name] = fmt.Sprintf("%x", f)
		case string:
			row[name] = v
			if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
				row[name] = at.UTC().Format(time.RFC3339Nano)
			}
			if r, ok := new(big.Rat).SetString(v); ok && name == "df_total_purchase_amount" {
				row[name] = r.FloatString(2)
			}
		default:
			t.Fatalf("%s is %v", name, v)
		}
	}
	return row
}

func avroDecoder(t *testing.T, text string) func([]byte) map[string]string {
	t.Helper()
	parsed, err := avro.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, f := range parsed.(*avro.RecordSchema).Fields() {
		names[f.Name()] = f.Name()
		if column, ok := f.Prop("column").(string); ok {
			names[f.Name()] = column
		}
	}
	names["app_x2d_version"] = "app-version" // its column is df_app_version
	return func(value []byte) map[string]string {
		var members map[string]any
		if err := avro.Unmarshal(parsed, value, &members); err != nil {
			t.Fatal(err)
		}
		row := map[string]string{}
		for name, v := range members {
			if branches, ok := v.(map[string]any); ok {
				for _, branch := range branches {
					v = branch
				}
			}
			switch v := v.(type) {
			case nil:
			case string:
				row[names[name]] = v
			case float64:
				row[names[name]] = fmt.Sprintf("%x", v)
			case time.Time:
				row[names[name]] = v.UTC().Format(time.RFC3339Nano)
			case *big.Rat:
				row[names[name]] = v.FloatString(2)
			default:
				t.Fatalf("%s is %T", name, v)
			}
		}
		return row
	}
}

func protobufDecoder(t *testing.T, text string) func([]byte) map[string]string {
	t.Helper()
	compiler := protocompile.Compiler{Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
		Accessor: protocompile.SourceAccessorFromMap(map[string]string{"events.proto": text}),
	})}
	files, err := compiler.Compile(context.Background(), "events.proto")
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	message := files[0].Messages().Get(0)
	return func(value []byte) map[string]string {
		m := dynamicpb.NewMessage(message)
		if value[0] != 0 {
			t.Fatalf("the message index is %x", value[0])
		}
		if err := proto.Unmarshal(value[1:], m); err != nil || len(m.GetUnknown()) > 0 {
			t.Fatalf("%v, unknown fields %x", err, m.GetUnknown())
		}
		row := map[string]string{}
		m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			name := f.JSONName()
			if name != string(f.Name()) { // a number is appended if another field has the name
				name = strings.TrimSuffix(name, fmt.Sprintf("_%d", f.Number()))
			}
			switch f.Kind() {
			case protoreflect.DoubleKind:
				row[name] = fmt.Sprintf("%x", v.Float())
			case protoreflect.MessageKind:
				at := v.Message().Descriptor().Fields()
				row[name] = time.Unix(v.Message().Get(at.ByName("seconds")).Int(), v.Message().Get(at.ByName("nanos")).Int()).UTC().Format(time.RFC3339Nano)
			default:
				row[name] = v.String()
				if r, ok := new(big.Rat).SetString(v.String()); ok && name == "df_total_purchase_amount" {
					row[name] = r.FloatString(2)
				}
			}
			return true
		})
		return row
	}
}
