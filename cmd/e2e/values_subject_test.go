package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"dfinery-kafka/schema"
)

// TestValues_SubjectChanged: after a change of the subject, the schema is registered there before
// the next row; earlier records keep their ids. If the subject refuses it, no field is lost.
func TestValues_SubjectChanged(t *testing.T) {
	t.Parallel()
	registry, refuse := registryProxy(t, registryURL(t))
	b := newTyped(t, "avro", registry)
	b.runOnce(0)
	b.set("STREAM_EVENTS_SUBJECT", "topic-record", "STREAM_EVENTS_RECORD", "shop.Event")
	refuse.Store(http.StatusConflict)
	if out := b.runOnce(3); !strings.Contains(out, string(schema.SchemaIncompatible)) {
		t.Errorf("run --once does not say why: %s", out)
	}
	refuse.Store(0)
	b.command(nil, "resume", "events")
	b.runOnce(0)
	compareRows(t, newRows(b.servedTyped()...), newRows(b.publishedTyped("avro", registry)...))
}

// TestValues_ReplayLooksUp: a replay publishes no values with ids of a registry that was emptied.
func TestValues_ReplayLooksUp(t *testing.T) {
	t.Parallel()
	first, second := srfake.New(), srfake.New()
	t.Cleanup(first.Close)
	t.Cleanup(second.Close)
	const header = "df_unified_id,event_name,memo"
	large := strings.Repeat("0123456789", 150)
	b, _ := newAnswering(t, func(int, int) answer { return csvOf("text/csv", header+"\nu1,open,a\nu2,open,"+large+"\n") })
	b.pollEvery("1h")
	b.set("STREAM_EVENTS_START", "0", "STREAM_EVENTS_FORMAT", "avro", "SCHEMA_REGISTRY_URL", first.URL(), "KAFKA_COMPRESSION", "none")
	b.createTopic("events", 1, map[string]string{"max.message.bytes": "1000"})
	b.runOnce(0)
	b.setTopicConfig("events", "max.message.bytes", "1000000")
	b.set("SCHEMA_REGISTRY_URL", second.URL())
	p := b.start("run")
	p.await(isOwner)
	b.run("dlq", "replay", "--code", "too_large", "--wait", "1s")
	p.kill()
	if n := len(b.consume("events", kgo.ReadUncommitted())); n != 1 {
		t.Errorf("%d records, one of them was replayed under an id that the registry does not have:\n%s", n, p.log())
	}
}
