package admin

import (
	"fmt"
	"strings"
	"time"

	"dfinery-kafka/pipeline"
	"dfinery-kafka/schema"
)

// streamPage is one stream on the page.
type streamPage struct {
	Name, Topic string
	From, To    string // the first and the last day of the calendar
	Days        []dayCell
	Today       string
	Next        string
	Until       *moment
	Notes       []string
}

// dayCell is one day of the calendar. Class determines colour and symbol; Text is shown
// on hover and focus, and read by screen readers.
type dayCell struct{ Class, Text string }

// dayClasses are the CSS classes of days, in the order of the legend.
var dayClasses = [...]string{"settled", "open", "pending", "failing", "narrowed", "gap"}

func legend() []legendEntry {
	list := make([]legendEntry, 0, len(dayClasses)+1)
	for _, class := range dayClasses {
		list = append(list, legendEntry{class, class})
	}
	return append(list, legendEntry{"running", "export running"})
}

func findDay(st *pipeline.StreamStatus, day schema.Day) *pipeline.DayStatus {
	for i := range st.Days {
		if st.Days[i].Day == day {
			return &st.Days[i]
		}
	}
	return nil
}

func (p *page) stream(v *View, st *pipeline.StreamStatus, today schema.Day) streamPage {
	s := streamPage{Name: st.Name, Topic: st.Topic, From: (today - schema.Reach).String(), To: today.String()}
	for day := today - schema.Reach; day <= today; day++ {
		d := findDay(st, day)
		if d == nil && day < st.First {
			s.Days = append(s.Days, dayCell{"off", day.String() + " before the stream's start"})
			continue
		}
		s.Days = append(s.Days, cellOf(d, day))
	}
	s.Today = todayText(v, st, today)
	s.Next, s.Until = p.next(v, st)
	if st.Profiles != nil {
		s.Notes = append(s.Notes, profilesText(st.Profiles))
	}
	if st.Halted != nil {
		s.Notes = append(s.Notes, "Halted: "+shorten(*st.Halted, 2*maxDetail))
	}
	if st.Paused {
		s.Notes = append(s.Notes, "Paused by command.")
	}
	return s
}

func cellOf(d *pipeline.DayStatus, day schema.Day) dayCell {
	class := d.Shown()
	if d == nil {
		return dayCell{class, day.String() + " never exported"}
	}
	text := fmt.Sprintf("%s %s\n%d rows, %d published", day, class, d.Rows, d.Published)
	if d.Bad > 0 {
		text += fmt.Sprintf(", %d bad", d.Bad)
	}
	if d.Missing > 0 {
		text += fmt.Sprintf(", %d missing", d.Missing)
	}
	if d.LastExport != nil {
		text += "\nlast export " + d.LastExport.UTC().Format(time.RFC3339)
	}
	if len(d.MissingEvents) > 0 {
		text += "\nwithout " + shorten(strings.Join(d.MissingEvents, ", "), 100)
	}
	if d.Error != nil {
		text += "\n" + shorten(*d.Error, 120)
	}
	if d.Running {
		class += " running"
		text += "\nexport running"
	}
	return dayCell{class, text}
}

func todayText(v *View, st *pipeline.StreamStatus, today schema.Day) string {
	text := "Nothing exported of today yet."
	if d := findDay(st, today); d != nil {
		text = fmt.Sprintf("Today: %d rows published", d.Published)
		if d.Running {
			text += ", export running"
		}
		text += "."
	}
	if newest := v.Totals[st.Name].Newest; !newest.IsZero() {
		text += " Newest row published " + ago(v.At.Sub(newest)) + "."
	}
	if st.LastSuccess != nil {
		text += " Last successful export began " + ago(v.At.Sub(*st.LastSuccess)) + "."
	}
	return text
}

func ago(d time.Duration) string {
	switch d = max(0, d); {
	case d < time.Minute:
		return fmt.Sprintf("%ds ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh ago", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days ago", int(d.Hours()/24))
	}
}

// waitText describes what an export waits for.
func waitText(reason schema.Reason) string {
	switch reason {
	case schema.WaitPoll:
		return "at the next poll"
	case schema.WaitLookback:
		return "at the next lookback"
	case schema.WaitQuota:
		return "when a call is free in the quota"
	case schema.WaitBreaker:
		return "when the circuit breaker allows a probe"
	case schema.WaitBackoff:
		return "after a backoff"
	case schema.WaitToken:
		return "when the API accepts the token"
	case schema.WaitHalted:
		return "when the halted stream is tried again"
	case schema.WaitPaused:
		return "when the stream is resumed"
	case schema.WaitStandby:
		return "by the owner"
	}
	return "waiting for " + string(reason)
}

func (p *page) next(v *View, st *pipeline.StreamStatus) (string, *moment) {
	if st.Next == nil {
		return "No export is due.", nil
	}
	return fmt.Sprintf("Next export: %s, %s", st.Next.Day, waitText(st.Next.WaitsFor)), p.until(v.At, st.Next.At)
}

// profilesText describes the last snapshot of a stream of changes.
func profilesText(p *pipeline.ProfileStatus) string {
	text := fmt.Sprintf("Profiles: %d present, %d absent", p.Present, p.Absent)
	switch {
	case p.Withheld > 0:
		text += fmt.Sprintf(", %d of them withheld (%s)", p.Withheld, p.Why)
	case p.Why != "":
		text += fmt.Sprintf(" (last snapshot: %s)", p.Why)
	}
	if p.LastComplete != nil {
		text += ", last complete snapshot " + p.LastComplete.UTC().Format(time.RFC3339)
	}
	if p.Unused > 0 {
		text += fmt.Sprintf("; %d added partitions are not used", p.Unused)
	}
	return text + "."
}
