package exporttest

import (
	"cmp"
	"fmt"
	"time"

	"dfinery-kafka/schema"
)

// Data describes what a service holds. Its zero value has 1,000 events a day of 1,000 users, without awkward values, the same in each export.
// The shares are fractions of the rows, from 0 to 1; which rows they hit depends on the seed, the day and the row's number alone.
type Data struct {
	Seed       uint64
	RowsPerDay int                  // events of a day, copies included; 0 means 1,000
	RowsOn     func(schema.Day) int // in place of RowsPerDay, for days that differ
	Users      int                  // 0 means 1,000
	Events     []string             // names of the events; nil means 50 names
	Columns    int                  // columns of an event export, at least 6; 0 means 40
	Location   *time.Location       // where a day begins; nil means Asia/Seoul

	Long       int     // events: how often an ordinary cell's text is repeated in it; 0 means once
	Hot        float64 // share of events that are of one user
	Odd        float64 // share of rows with commas, quotes, line ends, backslashes, arrays and other scripts than Latin in their cells
	Duplicates float64 // share of events that equal the event before them in every cell
	Shuffle    bool    // each export has its rows in another order

	Live      bool          // an event can be exported only from its df_server_datetime on
	Late      float64       // share of events that appear late
	LateFrom  int           // the export, counted from 1, from which on the late events are there; 0 sets no such bound
	LateAfter time.Duration // after the end of their day until the late events are there; 0 sets no such bound
	Gone      float64       // share of events that disappear
	GoneFrom  int           // the export from which on they are gone; 0 means 2

	Header Header // changes the columns from day to day; nil leaves them alone
}

// Query is what one call exports.
type Query struct {
	Kind     schema.Kind
	From, To schema.Day // both included; for a userprofile both are the day of the snapshot
	Filter   schema.Filter
	// HideIdentities leaves the customer's own id out of profiles.
	HideIdentities bool
	Export         int       // counts the exports of the same parameters from 1
	Now            time.Time // the time of the call; zero means that all days are over
}

func (d Data) filled() Data {
	if d.RowsOn == nil {
		n := cmp.Or(d.RowsPerDay, 1000)
		d.RowsOn = func(schema.Day) int { return n }
	}
	d.Users = cmp.Or(d.Users, 1000)
	d.Columns = max(cmp.Or(d.Columns, 40), systemColumns)
	d.GoneFrom = cmp.Or(d.GoneFrom, 2)
	d.Location = d.location()
	if d.Events == nil {
		d.Events = append(d.Events, standardEvents...)
		for n := len(d.Events); n < 50; n++ {
			d.Events = append(d.Events, fmt.Sprintf("custom_event_%02d", n))
		}
	}
	return d
}

func (d Data) location() *time.Location {
	if d.Location == nil {
		return time.FixedZone("Asia/Seoul", 9*3600) // without daylight time, so no zone data is needed
	}
	return d.Location
}
