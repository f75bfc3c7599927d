package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

func renderStream(b *strings.Builder, o *overview, s *pipeline.StreamStatus, loc *time.Location, colour bool) {
	fmt.Fprintf(b, "%s → %s", s.Name, s.Topic)
	if s.Paused {
		b.WriteString(", paused")
	}
	renderDays(b, schema.DayOf(o.At, loc), s, loc, colour)
	newest := "nothing published yet; "
	switch t, known := o.Newest[s.Name]; {
	case s.Profiles != nil && !known: // no checkpoint knows it
		newest = ""
	case s.Profiles != nil:
		newest = fmt.Sprintf("%d profiles; ", s.Profiles.Present+s.Profiles.Absent)
	case known:
		newest = "newest row published " + ago(o.At, t) + "; "
	}
	last := "never exported"
	if s.LastSuccess != nil {
		last = "last export " + ago(o.At, *s.LastSuccess)
	}
	fmt.Fprintf(b, "  %s%s\n", newest, last)
	if s.Profiles != nil {
		fmt.Fprintf(b, "  profiles: %s\n", profilesLine(o.At, s.Name, s.Profiles))
	}
	if s.Halted != nil {
		fmt.Fprintf(b, "  halted: %s\n", *s.Halted)
	}
	if s.Next != nil {
		fmt.Fprintf(b, "  next: %s%s\n", s.Next.Day, waits(o.At, s.Next))
	}
	if i := slices.IndexFunc(s.Days, func(d pipeline.DayStatus) bool { return d.Error != nil }); i >= 0 { // the newest day is first
		d := &s.Days[i]
		text := strings.Replace(*d.Error, fmt.Sprintf("export %s %s: ", s.Name, d.Day), "", 1)
		fmt.Fprintf(b, "  failing: %s\n", shortened(d.Day.String()+" "+text, 160))
	}
	for _, d := range s.Days {
		if len(d.MissingEvents) > 0 {
			fmt.Fprintf(b, "  %s lacks the events %s\n", d.Day, strings.Join(d.MissingEvents, ", "))
		}
	}
	renderCuts(b, s.CutDays)
	renderGaps(b, s.Days)
}

// renderDays draws a cell for each day of the reach, and the numbers of published rows.
func renderDays(b *strings.Builder, today schema.Day, s *pipeline.StreamStatus, loc *time.Location, colour bool) {
	days := map[schema.Day]*pipeline.DayStatus{}
	for i := range s.Days {
		days[s.Days[i].Day] = &s.Days[i]
	}
	fmt.Fprintf(b, "\n  %-*s%s  %s\n  ", schema.Reach+1-len(time.DateOnly), today-schema.Reach, today, loc)
	for day := today - schema.Reach; day <= today; day++ {
		if days[day] == nil && day < s.First { // the stream starts later
			b.WriteByte(' ')
			continue
		}
		b.WriteString(cellOf(days[day].Shown()).draw(colour))
	}
	rows := 0
	if d := days[today]; d != nil {
		rows = d.Published
	}
	fmt.Fprintf(b, "  today %d rows, in all %d, dead rows %d\n", rows, s.Published, s.DeadLetters)
}

// renderCuts lists the finished days whose answers are cut, and what an operator may need to set.
func renderCuts(b *strings.Builder, days []pipeline.DayStatus) {
	by := map[schema.Cut][]string{}
	for _, d := range days {
		by[d.Cut] = append(by[d.Cut], d.Day.String())
	}
	for _, c := range []struct {
		cut  schema.Cut
		text string
	}{
		{schema.UnclosedCell, "end within a quote that is never closed: the rows after it are missing. If the API does not escape quotes, set DFINERY_OPEN_QUOTE=recover"},
		{schema.NoNewline, "end without a newline: the last row is missing. If the API is known to omit the last newline, set DFINERY_FINAL_NEWLINE=optional"},
		{schema.TooFewFields, "end with a line of too few fields: rows may be missing. See the dead letters"},
	} {
		if list := by[c.cut]; len(list) > 0 {
			more := ""
			if len(list) > 3 {
				list, more = list[:3], fmt.Sprintf(" and %d more days", len(list)-3)
			}
			fmt.Fprintf(b, "  %s%s %s\n", strings.Join(list, ", "), more, c.text)
		}
	}
}

// renderGaps lists the lost days, newest first; consecutive days as a range.
func renderGaps(b *strings.Builder, days []pipeline.DayStatus) {
	for i := 0; i < len(days); i++ {
		if days[i].State != ledger.Gap {
			continue
		}
		last := days[i].Day
		for i+1 < len(days) && days[i+1].State == ledger.Gap && days[i+1].Day == days[i].Day-1 {
			i++
		}
		if first := days[i].Day; first != last {
			fmt.Fprintf(b, "  %s to %s are lost at the source\n", first, last)
		} else {
			fmt.Fprintf(b, "  %s is lost at the source\n", last)
		}
	}
}

// waits describes what the next export waits for, and until when.
func waits(now time.Time, next *pipeline.NextStatus) string {
	text := ""
	switch next.WaitsFor {
	case "":
	case schema.WaitPaused:
		text = ", once the stream is resumed"
	case schema.WaitStandby:
		text = ", by the owner"
	default:
		text = ", waits for " + string(next.WaitsFor)
	}
	switch {
	case next.At == nil:
	case next.At.After(now):
		text += " until " + next.At.UTC().Format(time.RFC3339)
	default:
		text += ", due now"
	}
	return text
}
