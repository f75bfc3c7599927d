package pipeline

import (
	"fmt"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/profiles"
)

// approvedFor is how long an approval is valid.
const approvedFor = 7 * 24 * time.Hour

// Approve permits up to limit deletes of absent profiles, or as many as are withheld if
// limit is 0, and returns how many. Only the owner's loop calls it.
func (k *profileKeeper) Approve(stream string, limit int, now time.Time) (int, error) {
	r := k.of(stream)
	why := profiles.Why(r.Why)
	if limit == 0 && r.Withheld > 0 && !why.Approvable() {
		return 0, fmt.Errorf("an approval does not help: %s; do %s", why.Meaning(stream), why.Advice(stream))
	}
	if limit == 0 {
		limit = r.Withheld
	}
	if limit == 0 {
		return 0, fmt.Errorf("no deletes of %s are withheld, so there is nothing to approve", stream)
	}
	r.Approved = &ledger.Approval{N: limit, Until: now.Add(approvedFor).UTC(), Unreadable: why == profiles.UnreadableRows}
	return limit, nil
}
