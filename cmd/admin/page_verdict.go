package admin

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// judgeYesterday determines whether the stream has everything that the API had of
// yesterday. A day is complete if a successful export of it began after its end, and no
// event is missing. Late rows may still be added while the day is open.
func judgeYesterday(st *pipeline.StreamStatus, today schema.Day, loc *time.Location) verdict {
	day := today - 1
	v := verdict{Stream: st.Name, Day: day.String()}
	d := findDay(st, day)
	if d == nil && day < st.First && findDay(st, today) != nil { // a snapshot stream, or a start of today
		return judgeSnapshot(st, today)
	}
	incomplete := func(because string) verdict {
		v.Class, v.Mark, v.Text = "bad", "✕", "not complete: "+because
		return v
	}
	switch {
	case d == nil && day < st.First:
		v.Class, v.Mark, v.Text = "warn", "·", "before the stream's start"
	case d == nil:
		return incomplete("it was never exported" + because(st))
	case d.State == ledger.Gap:
		return incomplete("it left the API's reach without a successful export")
	case len(d.MissingEvents) > 0:
		return incomplete("the API fails for the events " + shorten(strings.Join(d.MissingEvents, ", "), maxDetail))
	case d.LastSuccess == nil && d.Error != nil:
		return incomplete(shorten(*d.Error, maxDetail))
	case d.LastSuccess == nil:
		return incomplete("it was never exported" + because(st))
	case d.State != ledger.Settled && d.LastSuccess.Before(day.End(loc)):
		text := "its last successful export began before the day ended" + because(st)
		if d.Error != nil {
			text += "; " + shorten(*d.Error, maxDetail)
		}
		return incomplete(text)
	default:
		v.Class, v.Mark, v.Text = "good", "✓", fmt.Sprintf("complete, %d rows published", d.Published)
		if d.State == ledger.Open {
			v.Text += "; late rows are still added"
		}
	}
	return v
}

func judgeSnapshot(st *pipeline.StreamStatus, today schema.Day) verdict {
	v := verdict{Stream: st.Name, Day: today.String()}
	switch d := findDay(st, today); {
	case d.LastSuccess != nil:
		v.Class, v.Mark, v.Text = "good", "✓", fmt.Sprintf("complete, %d rows published", d.Published)
	case d.Error != nil:
		v.Class, v.Mark, v.Text = "bad", "✕", "not complete: "+shorten(*d.Error, maxDetail)
	default:
		v.Class, v.Mark, v.Text = "bad", "✕", "not complete: it was never exported"+because(st)
	}
	return v
}

// because describes what prevents the stream from exporting, if known.
func because(st *pipeline.StreamStatus) string {
	switch {
	case st.Halted != nil:
		return "; the stream is halted"
	case st.Paused:
		return "; the stream is paused"
	case st.Next != nil && st.Next.WaitsFor != schema.WaitPoll && st.Next.WaitsFor != schema.WaitLookback:
		return "; the next export starts " + waitText(st.Next.WaitsFor)
	}
	return ""
}

// titleMark returns the worst mark of the verdicts.
func titleMark(list []verdict) string {
	worst := ""
	for _, v := range list {
		if v.Class == "bad" {
			return v.Mark
		}
		worst = cmp.Or(worst, v.Mark)
	}
	return worst
}
