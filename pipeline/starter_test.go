package pipeline

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// grantingSource grants calls while wait is empty.
type grantingSource struct {
	scriptedAPI
	wait      schema.Wait
	cancelled int
	exported  func(schema.Export)
	accepts   map[schema.Cut]bool
}

func (s *grantingSource) Reserve(time.Time, int) (Permit, schema.Wait) {
	if s.wait.For != "" {
		return nil, s.wait
	}
	return s, schema.Wait{}
}

func (s *grantingSource) Cancel() { s.cancelled++ }

func (s *grantingSource) Export(ctx context.Context, call schema.Export) (transfer.Body, error) {
	s.exported(call)
	return s.scriptedAPI.Export(ctx, call)
}

func (s *grantingSource) Accepts(cut schema.Cut) bool { return s.accepts[cut] }

// newBedStarter is the starter of an owner of the stream events alone, that may start exports.
func newBedStarter(b *bed, source *grantingSource) (*owner, *starter) {
	b.Streams = b.Streams[:1]
	o := b.take()
	o.schedule.Load(&o.record.content, nil, time.Now())
	b.must(o.openSenders())
	o.record.source, o.exports.source = source, source
	b.t.Cleanup(o.transfers.Wait)
	return o, o.exports
}

// TestStarter_NumberFirst: when a call is made, the ledger has its number.
func TestStarter_NumberFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		var calls []schema.Export
		source := &grantingSource{exported: func(call schema.Export) {
			day := b.load().Days[ledger.DayName{Stream: call.Stream, Day: call.Day}]
			if day == nil || day.Exports != call.N {
				t.Errorf("call %d is made, the ledger has %+v", call.N, day)
			}
			calls = append(calls, call)
		}}
		o, x := newBedStarter(b, source)
		next, err := x.startAll(t.Context(), t.Context())
		b.must(err)
		b.serve(o)
		<-o.transfers.Ended()
		if len(calls) != 1 || calls[0].Day != schema.DayOf(time.Now(), planned) {
			t.Errorf("calls %+v, want one of today", calls)
		}
		if x.waits.For != "" || !next.Equal(endOf(time.Now(), planned)) {
			t.Errorf("it waits for %+v and looks again at %s, want nothing and the end of today", x.waits, next)
		}
	})
}

// TestStarter_NotMade: a call whose number can't be written is not made, and does not
// count for the quota.
func TestStarter_NotMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		source := &grantingSource{exported: func(schema.Export) { t.Error("the call is made") }}
		o, x := newBedStarter(b, source)
		o.session.End(producer.ErrFenced)
		if _, err := x.startAll(t.Context(), t.Context()); !errors.Is(err, producer.ErrFenced) || source.cancelled != 1 {
			t.Errorf("%d calls are cancelled, error %v, want %v", source.cancelled, err, producer.ErrFenced)
		}
		if !o.transfers.Idle() {
			t.Error("an export is under way")
		}
	})
}

// TestStarter_SourceWaits: what the source waits for is remembered, and when it is
// over; a new day may come before.
func TestStarter_SourceWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		source := &grantingSource{exported: func(schema.Export) { t.Error("the call is made") }}
		_, x := newBedStarter(b, source)
		midnight := endOf(time.Now(), planned)
		for _, test := range []struct{ until, want time.Time }{
			{time.Time{}, midnight},
			{time.Now().Add(time.Minute), time.Now().Add(time.Minute)},
			{midnight.Add(time.Minute), midnight},
		} {
			source.wait = schema.Wait{For: schema.WaitToken, Until: test.until}
			next, err := x.startAll(t.Context(), t.Context())
			if err != nil || !next.Equal(test.want) || x.waits != source.wait {
				t.Errorf("it waits for %+v and looks again at %s, want %s: %v", x.waits, next, test.want, err)
			}
		}
	})
}

// TestStarter_AcceptCuts: days wait no longer for an answer with a cut once the source
// takes it for whole. That is told once.
func TestStarter_AcceptCuts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		source := &grantingSource{accepts: map[schema.Cut]bool{}}
		o, x := newBedStarter(b, source)
		now := time.Now()
		name := ledger.DayName{Stream: "events", Day: schema.DayOf(now, planned)}
		o.record.content.Cuts = map[string]map[schema.Day]ledger.Truncation{"events": {name.Day: {Cut: schema.NoNewline, Times: 1, At: "1"}}}
		before, until := now.Add(-time.Hour), now.Add(time.Hour)
		record := ledger.Day{State: ledger.Open, Exports: 1, Generation: 1, LastSuccess: &before, LastExport: &before,
			Error: &ledger.Fault{Code: schema.MaybeTorn, At: before, Until: until, Attempts: 1}}
		o.schedule.Load(&o.record.content, map[ledger.DayName]ledger.Day{name: record}, now)
		if _, due, _ := o.schedule.Next(now); due {
			t.Fatal("the day is due before its wait is over")
		}
		x.acceptCuts(now)
		if _, due, _ := o.schedule.Next(now); due {
			t.Error("the day is due although the source takes no cut for whole")
		}
		source.accepts[schema.NoNewline] = true
		x.acceptCuts(now)
		if _, due, _ := o.schedule.Next(now); !due {
			t.Error("the day is not due although its cut is accepted now")
		}
	})
}
