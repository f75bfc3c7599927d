package pipeline

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
)

// Status is the last status of the service's loop: the pipeline's part of the admin
// server's /status.
type Status struct {
	Service   string
	Role      string // one of the roles below
	Reasons   []string
	Owner     *ledger.Owner // of a standby: the owner for which it waits
	Turned    time.Time     // when the loop last ran
	Restoring bool          // Kafka was reached: the takeover and recovery are in progress
	Streams   []StreamStatus
	Remaining map[string]time.Duration // by stream: until its oldest unexported day is lost; absent without one
	Commands  []ledger.Command         // of an owner: those that are not done, oldest first
}

// The roles.
const (
	RoleStarting = "starting"
	RoleOwner    = "owner"
	RoleStandby  = "standby"
	RoleWaiting  = "waiting"
)

// The types of package schedule that are part of the status.
type (
	// StreamStatus is one stream's part of the status.
	StreamStatus = schedule.StreamStatus
	// NextStatus is a stream's next export.
	NextStatus = schedule.NextStatus
	// ProfileStatus is the status of a stream with MODE=changes.
	ProfileStatus = schedule.ProfileStatus
	// DayStatus is one day of a stream.
	DayStatus = schedule.DayStatus
)

// RemainingAt is Remaining at a later time than Turned; negative for a day that is lost
// by then.
func (s *Status) RemainingAt(now time.Time) map[string]time.Duration {
	remaining := make(map[string]time.Duration, len(s.Remaining))
	for stream, left := range s.Remaining {
		remaining[stream] = left - now.Sub(s.Turned)
	}
	return remaining
}
