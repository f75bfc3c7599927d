package exporttest

import (
	"cmp"
	"fmt"
	"time"

	"dfinery-kafka/schema"
)

// Data describes the data of a service. Its zero value has 1,000 events a day of 1,000 users,
// without odd values, identical in each export. The shares are fractions of the rows, from 0 to
// 1. Which rows they select depends only on the seed, the day and the row's number.
type Data struct {
	Seed       uint64
	RowsPerDay int                  // events of a day, including copies; 0 means 1,000
	RowsOn     func(schema.Day) int // instead of RowsPerDay, for days that differ
	Users      int                  // 0 means 1,000
	Events     []string             // names of the events; nil means 50 names
	Columns    int                  // columns of an event export, at least 6; 0 means 40
	Location   *time.Location       // where a day begins; nil means Asia/Seoul

	Long       int     // events: how often an ordinary cell's text is repeated in it; 0 means once
	Hot        float64 // share of events that belong to one user
	Odd        float64 // share of rows with commas, quotes, line ends, backslashes, arrays and other scripts than Latin in their cells
	Duplicates float64 // share of events that equal the event before them in every cell
	Shuffle    bool    // each export has its rows in a different order

	Live      bool          // an event can be exported only from its df_server_datetime on
	Late      float64       // share of events that appear late
	LateFrom  int           // the late events are in exports from this number on, counted from 1; 0: no such condition
	LateAfter time.Duration // the late events appear this long after the end of their day; 0: no such condition
	Gone      float64       // share of events that disappear
	GoneFrom  int           // they are missing in exports from this number on; 0 means 2

	Header Header // changes the columns from day to day; nil: no change
}

// Query is what one call exports.
type Query struct {
	Kind     schema.Kind
	From, To schema.Day // inclusive; for a userprofile both are the day of the snapshot
	Filter   schema.Filter
	// HideIdentities omits the customer's own id from profiles.
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
