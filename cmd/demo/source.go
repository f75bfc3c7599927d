package main

import (
	"sync"
	"sync/atomic"
	"time"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// source is the simulated service and what goes wrong with it.
type source struct {
	api         *exporttest.Server
	first, last schema.Day // last is today
	late        atomic.Bool

	mu    sync.Mutex
	calls map[schema.Day]int
}

// The days of which the demo tells, counted back from today.
const (
	queryFails = 1 // yesterday's first query fails
	badRow     = 2 // has a row with too few fields
	cutShort   = 3 // its first download breaks off
)

func newSource(days, rows int, now time.Time) *source {
	s := &source{calls: map[schema.Day]int{}}
	s.last = schema.DayOf(now, time.FixedZone("Asia/Seoul", 9*3600))
	s.first = s.last - schema.Day(days) + 1
	s.api = &exporttest.Server{
		Service: service, Token: token, Faults: s.fault, Limits: exporttest.Limits{PerHour: callsPerHour},
		Data: exporttest.Data{Seed: 7, RowsOn: s.rowsOn(rows), Columns: 16, Odd: 0.05, Duplicates: 0.01},
	}
	return s
}

// rowsOn lets the two days before today have more rows once the late ones have arrived.
func (s *source) rowsOn(rows int) func(schema.Day) int {
	return func(day schema.Day) int {
		if s.late.Load() && s.hasLate(day) {
			return rows + rows/50
		}
		return rows
	}
}

// lateDays is how many days have late rows.
const lateDays = 2

func (s *source) hasLate(day schema.Day) bool {
	return day == s.last-queryFails || day == s.last-badRow
}

// lateRows are those of both days, once they have arrived.
func (s *source) lateRows() int {
	rowsOn := s.api.Data.RowsOn
	return lateDays * (rowsOn(s.last-queryFails) - rowsOn(s.last))
}

func (s *source) fault(c exporttest.Call) *exporttest.Fault {
	day := c.Query.From
	s.mu.Lock()
	s.calls[day]++
	first := s.calls[day] == 1
	s.mu.Unlock()
	switch {
	case day == s.last-queryFails && first:
		return &exporttest.Fault{Code: schema.QueryError}
	case day == s.last-cutShort && first:
		return &exporttest.Fault{Then: exporttest.Close, AfterRow: s.api.Data.RowsOn(day) / 2, At: 40}
	case day == s.last-badRow:
		return &exporttest.Fault{BadRows: []exporttest.BadRow{{After: 10, Kind: exporttest.FewerFields}}}
	}
	return nil
}

// holds is what the API would export of a day now.
func (s *source) holds(day schema.Day) []map[string]string {
	return s.api.Data.Export(exporttest.Query{Kind: schema.Event, From: day, To: day}).Records()
}
