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

// newTestStarter returns an owner with only the stream events, and its starter.
func newTestStarter(b *testbed, source *grantingSource) (*owner, *starter) {
	b.Streams = b.Streams[:1]
	o := b.takeOver()
	o.schedule.Load(&o.record.content, nil, time.Now())
	b.must(o.openSenders())
	o.record.source, o.exports.source = source, source
	b.t.Cleanup(o.transfers.Wait)
	return o, o.exports
}

// TestStarter_NumberFirst: the number of a call is in the ledger before the call is made.
func TestStarter_NumberFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		var calls []schema.Export
		source := &grantingSource{exported: func(call schema.Export) {
			day := b.load().Days[ledger.DayName{Stream: call.Stream, Day: call.Day}]
			if day == nil || day.Exports != call.N {
				t.Errorf("call %d is made, but the ledger has %+v", call.N, day)
			}
			calls = append(calls, call)
		}}
		o, x := newTestStarter(b, source)
		next, err := x.startAll(t.Context(), t.Context())
		b.must(err)
		b.serve(o)
		<-o.transfers.Ended()
		if len(calls) != 1 || calls[0].Day != schema.DayOf(time.Now(), planned) {
			t.Errorf("calls %+v, want one of today", calls)
		}
		if x.waits.For != "" || !next.Equal(endOf(time.Now(), planned)) {
			t.Errorf("waits for %+v, next check at %s; want no wait and the end of today", x.waits, next)
		}
	})
}

// TestStarter_NotMade: a call whose number can't be written to the ledger is not made, and does
// not count for the quota.
func TestStarter_NotMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		source := &grantingSource{exported: func(schema.Export) { t.Error("the call is made") }}
		o, x := newTestStarter(b, source)
		o.session.End(producer.ErrFenced)
		if _, err := x.startAll(t.Context(), t.Context()); !errors.Is(err, producer.ErrFenced) || source.cancelled != 1 {
			t.Errorf("%d calls are cancelled, error %v, want %v", source.cancelled, err, producer.ErrFenced)
		}
		if !o.transfers.Idle() {
			t.Error("an export is under way")
		}
	})
}

// TestStarter_SourceWaits: the reason why the source grants no call is kept, and the next check is
// at the end of the wait or of today.
func TestStarter_SourceWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		source := &grantingSource{exported: func(schema.Export) { t.Error("the call is made") }}
		_, x := newTestStarter(b, source)
		midnight := endOf(time.Now(), planned)
		for _, test := range []struct{ until, want time.Time }{
			{time.Time{}, midnight},
			{time.Now().Add(time.Minute), time.Now().Add(time.Minute)},
			{midnight.Add(time.Minute), midnight},
		} {
			source.wait = schema.Wait{For: schema.WaitToken, Until: test.until}
			next, err := x.startAll(t.Context(), t.Context())
			if err != nil || !next.Equal(test.want) || x.waits != source.wait {
				t.Errorf("waits for %+v, next check at %s, want %s: %v", x.waits, next, test.want, err)
			}
		}
	})
}

// TestStarter_AcceptCuts: once the source accepts answers with a kind of cut as complete, days that
// wait because of it are due at once. That is reported once.
func TestStarter_AcceptCuts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		source := &grantingSource{accepts: map[schema.Cut]bool{}}
		o, x := newTestStarter(b, source)
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
			t.Error("the day is due although the source accepts no cuts")
		}
		source.accepts[schema.NoNewline] = true
		x.acceptCuts(now)
		if _, due, _ := o.schedule.Next(now); !due {
			t.Error("the day is not due although its cut is accepted now")
		}
	})
}
