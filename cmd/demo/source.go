package main

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// source is the simulated service with its faults.
type source struct {
	api         *exporttest.Server
	first, last schema.Day // last is today
	rows        int        // rows per day, without late rows
	broken      atomic.Bool
	late        atomic.Bool

	mu    sync.Mutex
	calls map[schema.Day]int
	slow  bool // the next download of yesterday stalls among its late rows
}

// The days with faults, counted back from today.
const (
	queryFails = 1 // yesterday's first query fails
	badRow     = 2 // has a row with too few fields
	cutShort   = 3 // its first download is cut, and it has a row that is too large
)

// The lines that the API inserts among the rows of two days.
var (
	shortRow = exporttest.BadRow{After: 10, Kind: exporttest.FewerFields}
	largeRow = exporttest.BadRow{After: 20, Kind: exporttest.HugeCell, Size: smallBatch * 5 / 4}
)

func newSource(days, rows int, now time.Time) *source {
	s := &source{calls: map[schema.Day]int{}, rows: rows}
	s.last = schema.DayOf(now, time.FixedZone("Asia/Seoul", 9*3600))
	s.first = s.last - schema.Day(days) + 1
	s.api = &exporttest.Server{
		Service: service, Token: token, Faults: s.fault, Limits: exporttest.Limits{PerHour: callsPerHour},
		Data: exporttest.Data{Seed: 7, RowsOn: s.rowsOn, Columns: 16, Odd: 0.05, Duplicates: 0.01},
	}
	return s
}

// rowsOn returns the number of rows of a day; the two days before today get more when
// the late rows arrive.
func (s *source) rowsOn(day schema.Day) int {
	if s.late.Load() && s.hasLate(day) {
		return s.rows + s.lateADay()
	}
	return s.rows
}

// lateDays is the number of days with late rows.
const lateDays = 2

func (s *source) hasLate(day schema.Day) bool {
	return day == s.last-queryFails || day == s.last-badRow
}

func (s *source) lateADay() int { return s.rows / 50 }

// lateRows returns the number of late rows of both days.
func (s *source) lateRows() int { return lateDays * s.lateADay() }

// before returns the number of rows of all days before the late rows arrive.
func (s *source) before() int { return s.rows * int(s.last-s.first+1) }

// stall lets the late rows arrive; the next download of yesterday stalls after the
// first half of them.
func (s *source) stall() {
	s.late.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = true
}

// servedWhileSlow returns how many rows of all days can be published by then.
func (s *source) servedWhileSlow() int { return s.before() + s.lateADay() + s.lateADay()/2 }

func (s *source) fault(c exporttest.Call) *exporttest.Fault {
	day := c.Query.From
	s.mu.Lock()
	s.calls[day]++
	first := s.calls[day] == 1
	stands := day == s.last-queryFails && s.slow
	s.slow = s.slow && !stands
	s.mu.Unlock()
	switch {
	case s.broken.Load(), day == s.last-queryFails && first:
		return &exporttest.Fault{Code: schema.QueryError}
	case stands:
		return &exporttest.Fault{Then: exporttest.Stall, AfterRow: s.rows + s.lateADay()/2}
	case day == s.last-cutShort && first:
		return &exporttest.Fault{Then: exporttest.Close, AfterRow: s.rows / 2, At: 40}
	case day == s.last-cutShort:
		return &exporttest.Fault{BadRows: []exporttest.BadRow{largeRow}}
	case day == s.last-badRow:
		return &exporttest.Fault{BadRows: []exporttest.BadRow{shortRow}}
	}
	return nil
}

// holds is what the API would export of a day now, but for the row with too few fields.
func (s *source) holds(day schema.Day) []map[string]string {
	table := s.api.Data.Export(exporttest.Query{Kind: schema.Event, From: day, To: day})
	rows := table.Records()
	if day == s.last-cutShort {
		row := map[string]string{}
		for i, cell := range strings.Split(largeRow.Line(table.Columns), ",") {
			if cell != "" {
				row[table.Columns[i]] = cell
			}
		}
		rows = append(rows, row)
	}
	return rows
}
