package pipeline

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
)

// Status is what the service's loop last knew: the pipeline's part of the admin server's /status.
type Status struct {
	Service   string
	Role      string // one of the roles below
	Reasons   []string
	Owner     *ledger.Owner // of a standby: who it waits for
	Turned    time.Time     // when the loop last turned
	Restoring bool          // Kafka is reached; the service is being taken over and its ledger restored
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

// What is shown of the streams has the types of package schedule.
type (
	// StreamStatus is one stream's part of the status.
	StreamStatus = schedule.StreamStatus
	// NextStatus is a stream's next export.
	NextStatus = schedule.NextStatus
	// ProfileStatus is what is shown of a stream of changes.
	ProfileStatus = schedule.ProfileStatus
	// DayStatus is one day of a stream.
	DayStatus = schedule.DayStatus
)

// RemainingAt is Remaining as of a later time than Turned; negative for a day that is lost by then.
func (s *Status) RemainingAt(now time.Time) map[string]time.Duration {
	remaining := make(map[string]time.Duration, len(s.Remaining))
	for stream, left := range s.Remaining {
		remaining[stream] = left - now.Sub(s.Turned)
	}
	return remaining
}
