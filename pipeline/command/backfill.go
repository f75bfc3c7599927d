package command

import (
	"fmt"
	"time"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// backfill requests each day of the command once. A day that is being exported is exported
// again after that export ends.
func (x *Executor) backfill(c *ledger.Command, st *transfer.Stream) (changed, done bool) {
	today := schema.DayOf(time.Now(), x.Location)
	from, to := max(c.From, today-schema.Reach), min(c.To, today)
	if st.Kind.Snapshot() {
		from = max(from, today)
	}
	if from > to {
		c.Error = fmt.Sprintf("%s to %s has no day within the API's reach, %s to %s", c.From, c.To, today-schema.Reach, today)
		return true, true
	}
	if c.Taken == nil {
		now := time.Now().UTC()
		c.Taken, changed = &now, true
	}
	finished, failed := 0, 0
	for at := from; at <= to; at++ {
		name := ledger.DayName{Stream: st.Name, Day: at}
		if c.Again && x.Schedule.Record(name).AgainBy != c.ID {
			if x.Schedule.Day(name).Restart(c.ID) {
				x.Transfers.Day(name).Rows = dedup.Day{}
				if st.Changes {
					x.Profiles.PublishAgain(st.Name)
				}
				changed = true
			}
			continue
		}
		switch x.Schedule.Day(name).Answer(*c.Taken) {
		case schedule.Exported:
			finished++
		case schedule.OutOfReach:
			failed++
		case schedule.Unanswered:
			x.Schedule.Day(name).Request()
		}
	}
	changed = c.Progress(finished+failed, int(to-from)+1) || changed
	if finished+failed < c.Total {
		return changed, false
	}
	c.Result = schema.Pluralize(finished, "day") + " exported"
	if failed > 0 {
		c.Error = schema.Pluralize(failed, "day") + " out of the API's reach"
	}
	return true, true
}
