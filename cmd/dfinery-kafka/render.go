package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// cell is how a day looks: a character, and an ANSI colour on a terminal.
type cell struct {
	mark, colour, meaning string
}

var (
	cellSettled = cell{"█", "32", "settled"}
	cellOpen    = cell{"▒", "32", "open"}
	cellPending = cell{"·", "90", "pending"}
	cellFailing = cell{"!", "33", "failing"}
	cellNarrow  = cell{"n", "33", "narrowed"}
	cellGap     = cell{"x", "31", "gap"}
)

func cellOf(d *pipeline.DayStatus) cell {
	switch {
	case d == nil:
		return cellPending
	case d.State == ledger.Gap:
		return cellGap
	case len(d.Lacks) > 0:
		return cellNarrow
	case d.Error != nil:
		return cellFailing
	case d.State == ledger.Settled:
		return cellSettled
	case d.State == ledger.Open:
		return cellOpen
	}
	return cellPending
}

func (c cell) draw(colour bool) string {
	if !colour {
		return c.mark
	}
	return "\x1b[" + c.colour + "m" + c.mark + "\x1b[0m"
}

// render writes an overview for people.
func render(w io.Writer, o *overview, loc *time.Location, colour bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "service %s, %s\n", o.Service, owner(o))
	fmt.Fprintf(&b, "calls left this hour: %d of %d%s%s; breaker %s%s%s\n", o.Quota.Remaining, o.Quota.Limit, made(&o.Quota), nextFree(&o.Quota),
		o.Breaker.State, until(" until", o.Breaker.Until), because(o.Breaker.Cause))
	for _, note := range o.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	for i := range o.Streams {
		b.WriteByte('\n')
		renderStream(&b, o, &o.Streams[i], loc, colour)
	}
	for _, c := range o.Commands {
		state := "waits for the owner"
		if c.Taken != nil {
			state = "under way for " + span(o.At.Sub(*c.Taken))
		}
		fmt.Fprintf(&b, "\ncommand %s %s, given %s by %s: %s\n", c.Verb, c.Stream, ago(o.At, c.Given), c.By, state)
	}
	var legend []string
	for _, c := range []cell{cellSettled, cellOpen, cellPending, cellFailing, cellNarrow, cellGap} {
		legend = append(legend, c.draw(colour)+" "+c.meaning)
	}
	fmt.Fprintf(&b, "\n%s\n", strings.Join(legend, "  "))
	_, err := io.WriteString(w, b.String())
	return err
}

// nextFree is when there is a call again; empty while there is one.
func nextFree(q *quotaView) string {
	if q.Remaining > 0 {
		return ""
	}
	return until(", the next one at", q.ResetsAt)
}

// made tells the calls made here from those that somebody else must have made, if there are any.
func made(q *quotaView) string {
	if q.Made >= q.Limit-q.Remaining {
		return ""
	}
	return fmt.Sprintf(" (%d made here)", q.Made)
}

func owner(o *overview) string {
	switch {
	case o.Owner == nil:
		return "which nobody has ever run"
	case o.Owner.Released:
		return fmt.Sprintf("stopped %s by %s", ago(o.At, o.Owner.Beat), o.Owner.Instance)
	case !o.Alive:
		return fmt.Sprintf("whose owner %s was last heard of %s: if it runs, see its log and dfinery-kafka check", o.Owner.Instance, ago(o.At, o.Owner.Beat))
	}
	return fmt.Sprintf("owned by %s (%s) for %s", o.Owner.Instance, strings.Trim(o.Owner.Version, "()"), span(o.At.Sub(o.Owner.Since)))
}

func renderStream(b *strings.Builder, o *overview, s *pipeline.StreamStatus, loc *time.Location, colour bool) {
	today := schema.DayOf(o.At, loc)
	days := map[schema.Day]*pipeline.DayStatus{}
	var lastError string
	for i := range s.Days {
		d := &s.Days[i]
		days[d.Day] = d
		if d.Error != nil && lastError == "" { // the newest day stands first
			lastError = d.Day.String() + " " + strings.Replace(*d.Error, fmt.Sprintf("export %s %s: ", s.Name, d.Day), "", 1)
		}
	}
	fmt.Fprintf(b, "%s → %s", s.Name, s.Topic)
	if s.Paused {
		b.WriteString(", paused")
	}
	fmt.Fprintf(b, "\n  %-*s%s  %s\n  ", schema.Reach+1-len(time.DateOnly), today-schema.Reach, today, loc)
	for day := today - schema.Reach; day <= today; day++ {
		if days[day] == nil && day < s.First { // nobody asks for it
			b.WriteByte(' ')
			continue
		}
		b.WriteString(cellOf(days[day]).draw(colour))
	}
	rows := 0
	if d := days[today]; d != nil {
		rows = d.Published
	}
	fmt.Fprintf(b, "  today %d rows, in all %d, dead rows %d\n", rows, s.Published, s.DeadLetters)
	newest := "nothing published yet"
	if t, ok := o.Newest[s.Name]; ok {
		newest = "newest row published " + ago(o.At, t)
	}
	last := "never exported"
	if s.LastSuccess != nil {
		last = "last export " + ago(o.At, *s.LastSuccess)
	}
	if s.Profiles != nil { // no checkpoint knows it
		newest = fmt.Sprintf("%d profiles", s.Profiles.Present+s.Profiles.Absent)
	}
	if s.Profiles != nil && o.Newest[s.Name].IsZero() { // the ledger does not mark what such a stream publishes
		newest = ""
	} else {
		newest += "; "
	}
	fmt.Fprintf(b, "  %s%s\n", newest, last)
	if s.Profiles != nil {
		fmt.Fprintf(b, "  profiles: %s\n", profilesLine(o.At, s.Profiles))
	}
	if s.Halted != nil {
		fmt.Fprintf(b, "  halted: %s\n", *s.Halted)
	}
	if s.Next != nil {
		fmt.Fprintf(b, "  next: %s%s\n", s.Next.Day, waits(o.At, s.Next))
	}
	if lastError != "" {
		fmt.Fprintf(b, "  failing: %s\n", shortened(lastError, 160))
	}
	for _, d := range s.Days {
		if len(d.Lacks) > 0 {
			fmt.Fprintf(b, "  %s lacks the events %s\n", d.Day, strings.Join(d.Lacks, ", "))
		}
	}
	renderCuts(b, s.CutDays)
	renderGaps(b, s.Days)
}

// renderCuts says of the finished days that are cut what an operator may have to set.
func renderCuts(b *strings.Builder, days []pipeline.DayStatus) {
	by := map[schema.Cut][]string{}
	for _, d := range days {
		by[d.Cut] = append(by[d.Cut], d.Day.String())
	}
	for _, c := range []struct {
		cut  schema.Cut
		text string
	}{
		{schema.UnclosedCell, "end within a quote that is never closed: the rows behind it are missing. If the API leaves quotes unescaped, set DFINERY_OPEN_QUOTE=recover"},
		{schema.NoNewline, "end without a newline: the last row is missing. If the API is known to leave the last newline out, set DFINERY_FINAL_NEWLINE=optional"},
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

// renderGaps names the days that are lost, newest first, and those in a row by the first and the last.
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

// waits says what the next export waits for, and until when.
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

func until(what string, t *time.Time) string {
	if t == nil {
		return ""
	}
	return what + " " + t.Format(time.RFC3339)
}

func because(cause string) string {
	if cause == "" {
		return ""
	}
	return " (" + cause + ")"
}

// ago is how long before now t was, as people say it.
func ago(now, t time.Time) string {
	if d := now.Sub(t); d.Round(time.Second) > 0 {
		return span(d) + " ago"
	}
	return "just now"
}

// span is a time as people say it; clocks that are apart make none of it negative.
func span(d time.Duration) string {
	switch d = max(0, d.Round(time.Second)); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
