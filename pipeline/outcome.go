package pipeline

import (
	"errors"
	"math/rand/v2"
	"time"

	"dfinery-kafka/pipeline/schedule"
)

// conclude enters the end of an export into the schedule.
func (t *tenure) conclude(d *day, e *export) {
	o := &schedule.Outcome{Name: d.name, Call: e.call, Started: e.started, Took: e.took, Jitter: rand.Float64(), Lettered: e.lettered}
	switch {
	case e.replay != nil:
		e.replay.take(e)
		o.Aborted = true
	case e.err == nil:
		e.names.add(t.schedule.EventNames(d.name.Stream))
		o.Rows, o.Known, o.Columns, o.EventNames = e.sum.Rows(), e.sum.Duplicates, e.columns, e.names.list()
		o.Charset = e.charset
	case !errors.As(e.err, &o.Failure):
		o.Aborted = true // by Kafka, which ends the session: the day stays due as it was
	}
	t.tell(t.schedule.Apply(o, time.Now().UTC()))
}
