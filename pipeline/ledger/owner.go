package ledger

import "time"

// Owner is the record owner/SERVICE: the owning instance, with the time of its last heartbeat.
type Owner struct {
	Instance   string    `json:"instance"`
	Host       string    `json:"host"`
	Version    string    `json:"version"`
	ProducerID int64     `json:"producer_id"`
	Epoch      int16     `json:"epoch"`
	Since      time.Time `json:"since"`
	Beat       time.Time `json:"beat"`
	// Released means that the owner has shut down cleanly, so that a standby can take over
	// without waiting for missed heartbeats.
	Released bool `json:"released,omitempty"`

	unknown
}
