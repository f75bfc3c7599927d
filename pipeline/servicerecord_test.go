package pipeline

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// newTestRecord returns the service record of an owner whose loop executes calls.
func newTestRecord(b *testbed) (*owner, *serviceRecord) {
	o := b.takeOver()
	o.record.source = new(scriptedAPI)
	b.serve(o)
	return o, o.record
}

// TestServiceRecord_Change: a change is in the ledger when change returns. A function that returns
// an error, or changes nothing, causes no write, and the owner's loop continues.
func TestServiceRecord_Change(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		_, r := newTestRecord(b)
		refused := errors.New("refused")
		change := func(changed bool, err error) error {
			return r.change(t.Context(), func(s *ledger.Service) (bool, error) {
				if err == nil && changed {
					s.Wait = &ledger.Wait{For: schema.WaitQuota}
				}
				return changed, err
			})
		}
		before := b.end("ledger")
		if err := change(true, refused); !errors.Is(err, refused) {
			t.Errorf("error %v, want %v", err, refused)
		}
		b.must(change(false, nil))
		if end := b.end("ledger"); end != before {
			t.Errorf("%d records are written without a change", end-before)
		}
		b.must(change(true, nil))
		if w := b.load().Service.Wait; w == nil || w.For != schema.WaitQuota {
			t.Errorf("the ledger has %+v, want what was changed", w)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.change(ctx, func(*ledger.Service) (bool, error) { return false, nil }); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want %v", err, context.Canceled)
		}
	})
}

// TestServiceRecord_SetWait: the reason why all streams wait is written to the ledger only when it
// changes.
func TestServiceRecord_SetWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		o, r := newTestRecord(b)
		until := time.Now().Add(time.Hour)
		for _, step := range []struct {
			what   string
			change func()
			all    schema.Wait
			writes bool
		}{
			{"nothing is waited for", func() {}, schema.Wait{}, false},
			{"the quota is spent", func() {}, schema.Wait{For: schema.WaitQuota, Until: until}, true},
			{"its end moves a little", func() {}, schema.Wait{For: schema.WaitQuota, Until: until.Add(time.Second)}, false},
			{"a stream waits for its topic", func() { o.schedule.Stream("events").Block("gone") }, schema.Wait{For: schema.WaitQuota, Until: until}, true},
			{"it still does", func() {}, schema.Wait{For: schema.WaitQuota, Until: until}, false},
			{"a call is under way", func() {}, schema.Wait{For: schema.WaitQuota}, true},
			{"nothing is waited for any more", func() {}, schema.Wait{}, false},
		} {
			step.change()
			before := b.end("ledger")
			b.must(r.setWait(t.Context(), step.all))
			if got := b.end("ledger") > before; got != step.writes {
				t.Errorf("%s: written %t, want %t", step.what, got, step.writes)
			}
		}
		if s := b.load().Service; s.Wait != nil || s.Streams["events"].Blocked != "gone" {
			t.Errorf("the ledger has the wait %+v, and events blocked by %q", s.Wait, s.Streams["events"].Blocked)
		}
	})
}

// TestServiceRecord_RecordCall: the number of a call and the source's state are written to the
// ledger before the call is made; if that fails, the call is not made.
func TestServiceRecord_RecordCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		o, r := newTestRecord(b)
		name := ledger.DayName{Stream: "events", Day: schema.DayOf(time.Now(), planned)}
		for n := range 2 {
			o.schedule.Begin(schedule.Due{Stream: name.Stream, Day: name.Day}, time.Now())
			b.must(r.recordCall(t.Context(), name))
			state := b.load()
			if got := state.Days[name].Exports; got != n+1 || string(state.Service.Source) != "{}" {
				t.Errorf("the ledger has %d exports and the source %s, want %d", got, state.Service.Source, n+1)
			}
		}
		o.session.End(producer.ErrFenced)
		if err := r.recordCall(t.Context(), name); !errors.Is(err, producer.ErrFenced) {
			t.Errorf("error %v, want %v", err, producer.ErrFenced)
		}
	})
}

// TestServiceRecord_Evolver: an export gets a copy of the stream's schemas. Its changes are written
// to the ledger before they are used.
func TestServiceRecord_Evolver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		_, r := newTestRecord(b)
		evolve := r.evolver("events")
		first := &encoding.Evolution{Format: encoding.FormatJSON, Topic: "events", Fields: []encoding.Field{{Name: "a"}}}
		got, err := evolve(t.Context(), func(was *encoding.Evolution) (*encoding.Evolution, error) {
			if was != nil {
				t.Errorf("a new stream has %+v", was)
			}
			return first, nil
		})
		b.must(err)
		got.Fields[0].Name, first.Fields[0].Name = "b", "c" // neither changes the record
		got, err = evolve(t.Context(), func(was *encoding.Evolution) (*encoding.Evolution, error) {
			was.Topic = "elsewhere"
			return nil, nil // no change
		})
		b.must(err)
		kept := b.load().Service.Schemas["events"].Of("events")
		if got.Topic != "events" || got.Fields[0].Name != "a" || kept.Topic != "events" || kept.Fields[0].Name != "a" {
			t.Errorf("the export has %+v, the ledger %+v, want the field a of the topic events", got, kept)
		}
		refused := errors.New("refused")
		if _, err := evolve(t.Context(), func(*encoding.Evolution) (*encoding.Evolution, error) { return nil, refused }); !errors.Is(err, refused) {
			t.Errorf("error %v, want %v", err, refused)
		}
	})
}

// TestServiceRecord_NoteFormats: if the ledger has no format of a stream, its former topic has
// JSON, as a release without formats published it. The schemas of a topic are kept.
func TestServiceRecord_NoteFormats(t *testing.T) {
	streams := make([]transfer.Stream, 4)
	for i, name := range []string{"before", "known", "moved", "empty"} {
		streams[i].StreamConfig = schedule.StreamConfig{Name: name, Topic: name + ".topic", Kind: schema.Event, Key: "id"}
	}
	was := map[string]ledger.Stream{}
	for i := range streams {
		former := streams[i].StreamConfig
		if former.Name == "moved" {
			former.Topic = "another"
		}
		was[former.Name] = ledger.Stream{Identity: former.Identity(), HasRows: former.Name != "empty"}
	}
	avro := &ledger.Schemas{Format: "avro", Topic: "known.topic"}
	r := &serviceRecord{content: ledger.Service{Schemas: map[string]*ledger.Schemas{"known": avro}}}
	r.noteFormats(streams, was)
	want := map[string]*ledger.Schemas{"known": avro, "before": {Format: encoding.FormatJSON, Topic: "before.topic", Fields: []encoding.Field{}},
		"moved": {Format: encoding.FormatJSON, Topic: "another", Fields: []encoding.Field{}}}
	if diff := cmp.Diff(want, r.content.Schemas, cmpopts.IgnoreUnexported(ledger.Schemas{})); diff != "" {
		t.Errorf("schemas (-want +got):\n%s", diff)
	}
}

// TestServiceRecord_Resume: schema ids that the registry has lost are removed only if that was the
// reason for the halt.
func TestServiceRecord_Resume(t *testing.T) {
	for _, code := range []schema.Code{schema.RegistryLost, schema.BadHeader} {
		s := schedule.New([]schedule.StreamConfig{{Name: "events", Topic: "events", Kind: schema.Event, Key: "id"}}, schedule.Policy{Location: planned}, noon)
		record := &ledger.Service{
			Streams: map[string]ledger.Stream{"events": {Halted: &ledger.Halt{Code: code, Until: noon.Add(time.Hour)}}},
			Schemas: map[string]*ledger.Schemas{"events": {Format: "avro", Topic: "events", Versions: []encoding.Version{{Fields: 1, ID: 5}}, Fields: []encoding.Field{{Name: "a"}}}},
		}
		s.Load(record, nil, noon)
		r := &serviceRecord{content: *record, schedule: s, source: new(scriptedAPI)}
		r.resume("events", noon)
		if s.Stream("events").HaltedBy() != "" {
			t.Errorf("%s: the stream is still halted", code)
		}
		if forgotten := r.content.Schemas["events"].Versions[0].ID == 0; forgotten != (code == schema.RegistryLost) {
			t.Errorf("%s: ids removed: %t", code, forgotten)
		}
	}
}

// TestSameWait: waits whose ends differ a little count as the same until their end.
func TestSameWait(t *testing.T) {
	now := time.Now()
	wait := func(what string, in time.Duration) *ledger.Wait {
		return &ledger.Wait{For: schema.Reason(what), Until: now.Add(in)}
	}
	for name, test := range map[string]struct {
		was, is *ledger.Wait
		want    bool
	}{
		"none":            {nil, nil, true},
		"begins":          {nil, wait("quota", time.Hour), false},
		"over":            {wait("quota", time.Hour), nil, false},
		"moves a little":  {wait("quota", time.Hour), wait("quota", time.Hour+time.Second), true},
		"moves much":      {wait("quota", time.Hour), wait("quota", 2*time.Hour), false},
		"another":         {wait("quota", time.Hour), wait("breaker", time.Hour), false},
		"was to be over":  {wait("quota", -time.Second), wait("quota", time.Second), false},
		"the same moment": {wait("quota", -time.Second), wait("quota", -time.Second), true},
	} {
		if got := sameWait(test.was, test.is); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
	}
}
