package pipeline

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
)

// TestContract_Columns: a new column is counted, reported and written to the ledger before the
// first row with it is published; with CONTRACT=freeze it is refused.
func TestContract_Columns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		b.Streams[0].Contract = schema.ContractFreeze
		o, r := newTestRecord(b)
		r.content.Streams = map[string]ledger.Stream{
			"events": {HasRows: true, Columns: []string{"id"}}, "users": {HasRows: true, Columns: []string{"id"}},
		}
		o.schedule.Load(&r.content, nil, time.Now())
		header := []string{"id", "email"}
		refused := map[string][]string{}
		for _, stream := range []string{"events", "users"} {
			for range 2 { // the next export also has it
				var err error
				refused[stream], err = o.contract.admit(t.Context(), stream, header)
				b.must(err)
			}
		}
		if diff := cmp.Diff(map[string][]string{"events": {"email"}, "users": nil}, refused); diff != "" {
			t.Errorf("refused (-want +got):\n%s", diff)
		}
		if n := o.counts.copies()["users"].ColumnChanges; n != 1 {
			t.Errorf("%d new columns are counted, want 1", n)
		}
		b.expectLogged(1, `msg="the export's columns have changed, and its contract is frozen" stream=events`)
		b.expectLogged(1, `msg="the export's columns have changed" stream=users`)
		if known := b.load().Service.Columns; known["users"].Accepted == nil {
			t.Errorf("the ledger has the columns %+v, want those of users", known)
		}
	})
}

// TestContract_HiddenColumns: the header of a stream that hides columns is accepted if it is in
// the ledger. A header is written to the ledger before it is accepted.
func TestContract_HiddenColumns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		b.Streams[0].Hidden = "email"
		o, r := newTestRecord(b)
		o.schedule.Load(&r.content, nil, time.Now())
		check := func(names ...string) *schedule.HeaderRefusal {
			t.Helper()
			h := &schedule.Header{Names: names, Listed: []string{"email"}, Hash: names[len(names)-1]}
			if h.Missing = []string{"email"}; names[len(names)-1] == "email" {
				h.Missing = nil
			}
			refused, err := o.contract.checkHeader(t.Context(), "events", h)
			b.must(err)
			return refused
		}
		before := b.end("ledger")
		if refused := check("id", "mail"); refused == nil {
			t.Error("a header that has a new column instead of the hidden one is accepted")
		}
		if refused := check("id", "email"); refused != nil {
			t.Errorf("the header is refused: %+v", refused)
		}
		if b.end("ledger") == before {
			t.Error("the ledger does not have the header that is accepted")
		}
	})
}

// TestContract_Resume: after another key for hidden cells is accepted, the days in reach are
// published again, because their fingerprints depend on the former key.
func TestContract_Resume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		b.Streams[0].Hidden, b.Streams[0].HiddenKey = "email", "former"
		now := time.Now()
		name := ledger.DayName{Stream: "events", Day: schema.DayOf(now, planned)}
		record := ledger.Service{Streams: map[string]ledger.Stream{"events": {HasRows: true, Identity: b.Streams[0].Identity()}}}
		days := map[ledger.DayName]ledger.Day{name: {State: ledger.Open, Exports: 1, Published: 1, Generation: 1, LastSuccess: &now}}
		b.Streams[0].HiddenKey = "new"
		o := b.takeOver()
		o.record.source = new(scriptedAPI)
		o.record.content = record
		o.announcer.announce(o.schedule.Load(&o.record.content, days, now))
		b.expectLogged(1, "its hidden cells were hashed with another key")
		o.transfers.Day(name).Rows = dedup.Day{Set: new(dedup.Set)}
		o.contract.resume("events", now)
		if d := o.schedule.Record(name); d.Generation != 2 || o.schedule.Stream("events").KeyRefused() {
			t.Errorf("today is %+v, refused %t, want it published again", d, o.schedule.Stream("events").KeyRefused())
		}
		if o.transfers.Day(name).Rows.Set != nil {
			t.Error("rows that were hashed with the former key count as published")
		}
	})
}
