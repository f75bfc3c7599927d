package ledger

import "time"

// Owner is the record owner/SERVICE: the instance that writes, with the time of its last sign of life.
type Owner struct {
	Instance   string    `json:"instance"`
	Host       string    `json:"host"`
	Version    string    `json:"version"`
	ProducerID int64     `json:"producer_id"`
	Epoch      int16     `json:"epoch"`
	Since      time.Time `json:"since"`
	Beat       time.Time `json:"beat"`
	// Released says that the owner has shut down cleanly: a standby need not wait until its heartbeats stop.
	Released bool `json:"released,omitempty"`

	unknown
}
