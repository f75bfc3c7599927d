package pipeline

import (
	"context"
	"fmt"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
)

// serviceRecord is the service's record in the ledger. Its streams come from the
// schedule, its quota and breaker from the source.
type serviceRecord struct {
	content  ledger.Service
	source   Source // nil until the ledger was read
	schedule *schedule.State
	writer   *store.Writer
	session  *producer.Session
	calls    loopCalls // changes requested by exports
}

func newServiceRecord(s *schedule.State, w *store.Writer, session *producer.Session, calls loopCalls) *serviceRecord {
	return &serviceRecord{schedule: s, writer: w, session: session, calls: calls}
}

// refresh updates the record.
func (r *serviceRecord) refresh() *ledger.Service {
	r.content.Source, r.content.LineEnds = r.source.State(), r.source.LineEnds()
	r.schedule.SaveTo(&r.content, time.Now())
	return &r.content
}

// write writes the current record.
func (r *serviceRecord) write(ctx context.Context) error {
	if err := r.writer.Service(r.refresh()); err != nil {
		return err
	}
	return r.session.Flush(ctx, r.writer.State)
}

// recordCall writes a call of a day to the ledger, with the source's quota.
func (r *serviceRecord) recordCall(ctx context.Context, name ledger.DayName) error {
	if err := r.writer.Service(r.refresh()); err != nil {
		return err
	}
	day := r.schedule.Record(name)
	if err := r.writer.Day(name, &day); err != nil {
		return err
	}
	if err := r.session.Flush(ctx, r.writer.State); err != nil {
		return fmt.Errorf("write export %d of %s %s to the ledger: %w", day.Exports, name.Stream, name.Day, err)
	}
	return nil
}

// setWait records what all streams wait for, and which streams wait for their topic, so
// that the status on any machine can show it. A wait without an end is a wait for a
// call in flight.
func (r *serviceRecord) setWait(ctx context.Context, all schema.Wait) error {
	var wait *ledger.Wait
	if all.For != "" && !all.Until.IsZero() {
		wait = &ledger.Wait{For: all.For, Until: all.Until.UTC()}
	}
	if sameWait(r.content.Wait, wait) && !r.schedule.BlocksChanged(&r.content) {
		return nil
	}
	r.content.Wait = wait
	return r.write(ctx)
}

// sameWait treats waits as equal if their ends are close, as some ends move with each
// calculation.
func sameWait(was, is *ledger.Wait) bool {
	if was == nil || is == nil {
		return was == is
	}
	moved := is.Until.Sub(was.Until).Abs()
	return was.For == is.For && (moved == 0 || moved < time.Minute && was.Until.After(time.Now()))
}

// resume resumes a stream immediately.
func (r *serviceRecord) resume(stream string, now time.Time) {
	r.acceptIDs(stream)
	r.schedule.Stream(stream).Resume(now.UTC())
	r.source.RetryToken(now)
}
