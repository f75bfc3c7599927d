package pipeline

import (
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
)

// profileStatus returns the status of a stream's profiles; nil for a stream that
// publishes all rows. partitions is the number of its topic's partitions, 0 if unknown.
func profileStatus(st *transfer.Stream, r *ledger.Profiles, partitions int) *schedule.ProfileStatus {
	if st == nil || !st.Changes {
		return nil
	}
	s := &schedule.ProfileStatus{Poll: st.Poll}
	if r == nil {
		return s
	}
	s.Present, s.Absent, s.Withheld, s.Why = r.Present, r.Missing, r.Withheld, r.Why
	s.Partitions, s.Scanned, s.Approved, s.Sample, s.Seed = r.Partitions, r.Scanned, r.Approved, r.Sample, r.Seed
	if r.Complete != nil {
		s.LastComplete = &r.Complete.At
	}
	if r.Partitions > 0 {
		s.Unused = max(0, partitions-r.Partitions)
	}
	return s
}
