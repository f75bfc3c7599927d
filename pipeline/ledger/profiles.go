package ledger

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Profiles is the state of a stream that publishes changes of profiles.
type Profiles struct {
	N          int    `json:"n"`           // of the last export
	Partitions int    `json:"partitions"`  // over which keys are distributed; 0: unknown
	Seed       uint64 `json:"seed,string"` // of the keys' hashes
	// AgainFrom is the first export whose rows count as published: those of earlier
	// exports are published again.
	AgainFrom int       `json:"again_from,omitempty"`
	Request   string    `json:"request,omitempty"` // the hash of the request of the marks' snapshots
	Complete  *Complete `json:"complete,omitempty"`
	Absent    Absent    `json:"absent,omitzero"`
	// Deletes are the deletes of the last seven days.
	Deletes  []Deletion `json:"deletes,omitempty"`
	Withheld int        `json:"withheld,omitempty"` // withheld deletes
	Why      string     `json:"why,omitempty"`      // the last snapshot proved nothing
	Approved *Approval  `json:"approved,omitempty"`
	// The result of the last snapshot that ended.
	Present int `json:"present,omitempty"`
	Missing int `json:"missing,omitempty"`
	Scanned int `json:"scanned,omitempty"`
	// Sample has the hashes of some absent keys, in hexadecimal.
	Sample []string `json:"sample,omitempty"`

	unknown
}

// Complete is the last snapshot that proved which profiles are absent.
type Complete struct {
	N        int       `json:"n"`
	At       time.Time `json:"at"`
	Profiles int       `json:"profiles"` // in the topic

	unknown
}

// Absent is where the marks of absent keys are stored.
type Absent struct {
	Ranges []Range           // of the rows topic
	Times  map[int]time.Time // start of the marking export, by its number
}

// IsZero reports whether there are no marks.
func (a Absent) IsZero() bool { return len(a.Ranges) == 0 && len(a.Times) == 0 }

const absentRanges = "ranges"

// MarshalJSON encodes the ranges as the member "ranges", and the times as members named by
// export number.
func (a Absent) MarshalJSON() ([]byte, error) {
	members := map[string]any{absentRanges: a.Ranges}
	for n, at := range a.Times {
		members[strconv.Itoa(n)] = at
	}
	return json.Marshal(members)
}

// UnmarshalJSON decodes what MarshalJSON encodes.
func (a *Absent) UnmarshalJSON(value []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(value, &members); err != nil {
		return err
	}
	*a = Absent{}
	for name, raw := range members {
		if name == absentRanges {
			if err := json.Unmarshal(raw, &a.Ranges); err != nil {
				return err
			}
			continue
		}
		n, err := strconv.Atoi(name)
		if err != nil {
			continue // written by a later release
		}
		var at time.Time
		if err := json.Unmarshal(raw, &at); err != nil {
			return fmt.Errorf("absent since export %d: %w", n, err)
		}
		if a.Times == nil {
			a.Times = map[int]time.Time{}
		}
		a.Times[n] = at
	}
	return nil
}

// Deletion is the deletes of one snapshot.
type Deletion struct {
	At     time.Time `json:"at"`
	Export int       `json:"export"`
	N      int       `json:"n"`
	Done   bool      `json:"done"` // all tombstones are written

	unknown
}

// Approval permits more deletes than usual.
type Approval struct {
	N     int       `json:"n"`
	Until time.Time `json:"until"`
	// Unreadable accepts snapshots with rows whose keys can't be read: deletes were withheld
	// because of such rows when the approval was given.
	Unreadable bool `json:"unreadable_rows,omitempty"`

	unknown
}
