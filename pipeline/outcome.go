package pipeline

import (
	"errors"
	"math/rand/v2"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
)

// applyOutcome applies the end of an export to the schedule.
func (o *owner) applyOutcome(name ledger.DayName, e *transfer.Export) {
	result := &schedule.Outcome{Name: name, Call: e.Call, Started: e.Started, Took: e.Took, Jitter: rand.Float64(), Lettered: e.Lettered}
	switch {
	case e.Replay != nil:
		o.commands.Ended(e)
		result.Aborted = true
	case e.Err == nil:
		sum := e.Sum()
		result.Rows, result.Known, result.Columns, result.EventNames = sum.Rows(), sum.Duplicates, e.Columns, e.EventNames(o.schedule.Stream(name.Stream).EventNames())
		result.Charset, result.Properties = e.Charset, e.PropertiesFound()
		result.Bad, result.StillBad = sum.Bad, e.StillBad()
	case !errors.As(e.Err, &result.Failure):
		result.Aborted = true // by Kafka, which ends the session: the day remains due
	}
	o.announcer.announce(o.schedule.Apply(result, time.Now().UTC()))
}
