package schema

import (
	"fmt"
	"time"
)

// Day is a calendar day of the source, counted from 1970-01-01. It has no time zone: DayOf and
// Start take one.
type Day int32

// Reach is how many days before today the API still exports (documented on its page for
// export/event).
const Reach = 30

// InReach reports whether the API exports the day today.
func (d Day) InReach(today Day) bool { return d >= today-Reach && d <= today }

const dayLayout = "2006-01-02"

// ParseDay parses yyyy-MM-dd.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(dayLayout, s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a day of the form yyyy-MM-dd", s)
	}
	return DayOf(t, time.UTC), nil
}

// DayOf is the calendar day in loc at t.
func DayOf(t time.Time, loc *time.Location) Day {
	year, month, day := t.In(loc).Date()
	return Day(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Start is the first instant of the day in loc.
func (d Day) Start(loc *time.Location) time.Time {
	t := time.Unix(int64(d)*86400, 0).UTC()
	t = time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, loc)
	if DayOf(t, loc) < d {
		// Clocks went forward at midnight: the day has no midnight and starts with the change.
		_, t = t.ZoneBounds()
	}
	return t
}

// End is the first instant after the day in loc. A day with a daylight saving change has 23 or
// 25 hours.
func (d Day) End(loc *time.Location) time.Time { return (d + 1).Start(loc) }

func (d Day) String() string { return time.Unix(int64(d)*86400, 0).UTC().Format(dayLayout) }

// MarshalText writes yyyy-MM-dd.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText parses yyyy-MM-dd.
func (d *Day) UnmarshalText(text []byte) error {
	day, err := ParseDay(string(text))
	if err != nil {
		return err
	}
	*d = day
	return nil
}
