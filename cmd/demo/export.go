package main

import (
	"context"
	"fmt"

	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/ledger"
)

func (s *demoRun) exportAll(ctx context.Context) error {
	s.headline("Every day is exported, and four things go wrong")
	s.line(plain, "   One call exports one day. Here a query fails (query_error), a download breaks off (cut_body), a row has too few fields,")
	s.line(plain, "   and a row is too large for the topic. Such a day is exported again; rows that are known already are not published again:")
	days := int(s.source.last-s.source.first) + 1
	return s.awaitDays(ctx, days, func(day pipeline.DayStatus) bool { return day.State == ledger.Open || day.State == ledger.Settled })
}

func (s *demoRun) exportLate(ctx context.Context) error {
	return s.awaitDays(ctx, lateDays, func(day pipeline.DayStatus) bool {
		return s.source.hasLate(day.Day) && day.Rows == s.source.api.Data.RowsOn(day.Day)
	})
}

// awaitDays waits until the given number of days are as expected and none of them is
// being exported, and shows them all.
func (s *demoRun) awaitDays(ctx context.Context, days int, as func(pipeline.DayStatus) bool) error {
	status, err := s.connector.await(ctx, func(st pipeline.StreamStatus) bool {
		done := 0
		for _, day := range st.Days {
			if day.Day >= s.source.first && day.Day <= s.source.last && !day.Running && as(day) {
				done++
			}
		}
		s.shown.At(done, days, s.shown.Days(s.connector.Moved()))
		return done == days
	})
	s.shown.End()
	if err != nil {
		return fmt.Errorf("wait for %d days: %w", days, err)
	}
	s.table(status)
	return nil
}

// table shows the days, newest first, as in /status.
func (s *demoRun) table(status pipeline.StreamStatus) {
	s.line(faint, "   The days. An open one is exported again, because late rows may arrive; a settled one is complete.")
	s.line(faint, "   day         state     exports     rows  published  bad")
	for _, day := range status.Days {
		s.line(plain, "   %s  %-8s  %7d  %7s  %9s  %3d", day.Day, day.State, day.Exports, number(day.Rows), number(day.Published), day.Bad)
	}
}
