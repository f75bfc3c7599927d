package e2e

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/schema"
)

// TestRightsTakenAway takes the right to write one stream's topic away while the service runs: the other stream goes on, the log, status
// and check say what is missing, and once it is granted again every row is there once. Then the rights to what the service as a whole needs.
func TestRightsTakenAway(t *testing.T) {
	k := newSecureKafka(t)
	s := k.userOf(t, 10)
	var rows atomic.Int64
	rows.Store(100)
	s.api.Data.RowsOn = func(schema.Day) int { return int(rows.Load()) }
	s.environ["STREAMS"], s.environ["STREAM_MORE_TOPIC"], s.environ["STREAM_MORE_START"] = "events,more", s.prefix+"more", "0"
	s.environ["STREAM_EVENTS_START"], s.environ["STREAM_EVENTS_POLL_INTERVAL"], s.environ["STREAM_MORE_POLL_INTERVAL"] = "0", "200ms", "200ms"
	s.unbounded()
	for _, remedy := range s.remedies() {
		s.carryOut(remedy)
	}
	p := s.start(binary, nil, "run")
	p.await(`"msg":"export ended","stream":"events"`)
	p.await(`"msg":"export ended","stream":"more"`)
	published := func(stream string) bool {
		return int64(len(s.consume(s.prefix+stream, kgo.ReadCommitted()))) == rows.Load()
	}
	wait := func(what string, holds func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(200 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("not within a minute: %s\n%s", what, p.text())
			}
		}
	}
	all := func() bool { return published("events") && published("more") }
	wait("all rows are published", all)

	s.revoke(kadm.NewACLs().Topics(s.prefix + "events").Operations(kadm.OpWrite))
	rows.Store(200)
	wait("the other stream's rows are published", func() bool { return published("more") })
	wait("status says it", func() bool {
		out, got := s.run("status")
		return got.Code == 0 && strings.Contains(out, "  halted: ") && strings.Contains(out, "Topic Authorization Failed") && strings.Contains(out, "waits for halted")
	})
	var missing []string
	for _, line := range s.report().Checks {
		if line.Status == "fail" {
			missing = append(missing, line.Check)
		}
	}
	if diff := cmp.Diff([]string{"right Write on topic " + s.prefix + "events"}, missing); diff != "" {
		t.Errorf("what check says (-want +got):\n%s", diff)
	}
	expect(t, p.text(), `"msg":"a stream waits for its topic","stream":"events"`, "grant the right that is missing")
	s.giveBack()
	wait("the stream goes on", all)

	for _, topic := range []string{"ledger", "dead-letters"} {
		const said = `"do":"grant the right that is missing`
		before := strings.Count(p.text(), said)
		s.revoke(kadm.NewACLs().Topics(s.prefix + topic).Operations(kadm.OpWrite))
		p.awaitMore(said, before) // by a look at the topics, or by a write before it
		s.giveBack()
		rows.Add(100)
		wait("the service goes on", all)
	}
	p.kill()
	for _, stream := range []string{"events", "more"} {
		compare(t, s.served(schema.Event), s.published(stream))
	}
}
