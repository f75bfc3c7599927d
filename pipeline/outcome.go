package pipeline

import (
	"errors"
	"math/rand/v2"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
)

// conclude enters the end of an export into the schedule.
func (t *tenure) conclude(name ledger.DayName, e *transfer.Export) {
	o := &schedule.Outcome{Name: name, Call: e.Call, Started: e.Started, Took: e.Took, Jitter: rand.Float64(), Lettered: e.Lettered}
	switch {
	case e.Replay != nil:
		t.commands.Ended(e)
		o.Aborted = true
	case e.Err == nil:
		sum := e.Sum()
		o.Rows, o.Known, o.Columns, o.EventNames = sum.Rows(), sum.Duplicates, e.Columns, e.EventNames(t.schedule.EventNames(name.Stream))
		o.Charset = e.Charset
		o.Bad, o.StillBad = sum.Bad, e.StillBad()
	case !errors.As(e.Err, &o.Failure):
		o.Aborted = true // by Kafka, which ends the session: the day stays due as it was
	}
	t.tell(t.schedule.Apply(o, time.Now().UTC()))
}
