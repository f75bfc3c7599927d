package command

import (
	"fmt"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// approve permits more deletes than usual of profiles that two complete snapshots lack, and
// requests a snapshot at once.
func (x *Executor) approve(c *ledger.Command, st *transfer.Stream) (changed, done bool) {
	if !st.Changes {
		c.Error = fmt.Sprintf("the stream %s publishes all rows and deletes none: %s=changes would", st.Name, schema.StreamVariable(st.Name, "MODE"))
		return true, true
	}
	now := time.Now()
	n, err := x.Profiles.Approve(st.Name, c.Most, now)
	if err != nil {
		c.Error = err.Error()
		return true, true
	}
	x.Schedule.Stream(st.Name).Day(schema.DayOf(now, x.Location)).Request()
	c.Result = fmt.Sprintf("up to %s may be deleted, once two complete snapshots lack them; this holds for 7 days, or until no profile is absent", schema.Pluralize(n, "profile"))
	return true, true
}
