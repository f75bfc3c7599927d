package registry_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"

	"dfinery-kafka/schema/encoding"
	"dfinery-kafka/schema/registry"
)

// TestClient_RealRegistry registers schemas of every format with a growing number of fields at the
// registry of REGISTRY_TEST_URL (deploy/registry-up.sh): the same schema gets the same id.
func TestClient_RealRegistry(t *testing.T) {
	url := os.Getenv("REGISTRY_TEST_URL")
	if url == "" {
		t.Skip("REGISTRY_TEST_URL is not set")
	}
	c := newClient(t, registry.Config{URLs: []string{url}})
	fields := []encoding.Field{{Column: "df_unified_id", Name: "df_unified_id"}}
	for _, text := range []string{"long", "double", "boolean", "date", "datetime", "datetime(6)", "decimal(38,10)", "array<string>", "array<long>", "array<double>"} {
		typ, err := encoding.ParseType(text)
		if err != nil {
			t.Fatal(err)
		}
		fields = append(fields, encoding.Field{Column: "이름 " + text, Name: "이름 " + text, Type: typ})
	}
	ctx := context.Background()
	for format, kind := range map[encoding.Format]sr.SchemaType{encoding.FormatAvro: sr.TypeAvro, encoding.FormatProtobuf: sr.TypeProtobuf, encoding.FormatJSONSchema: sr.TypeJSON} {
		subject := fmt.Sprintf("t%x.%s-value", rand.Uint32(), format)
		ids := map[int]int{}
		for n := 1; n <= len(fields); n++ {
			text, err := format.SchemaText("dfinery.events", fields[:n])
			if err != nil {
				t.Fatal(err)
			}
			if ids[n], err = c.Register(ctx, &registry.Schema{Subject: subject, Type: kind, Text: text}); err != nil {
				t.Fatalf("%s, %d fields: %v\n%s", format, n, err, text)
			}
		}
		for n := 1; n <= len(fields); n++ {
			text, _ := format.SchemaText("dfinery.events", fields[:n])
			id, err := c.Lookup(ctx, &registry.Schema{Subject: subject, Type: kind, Text: text})
			if err != nil || id != ids[n] {
				t.Errorf("%s, %d fields: looked up id %d, %v, want %d", format, n, id, err, ids[n])
			}
		}
	}
}
