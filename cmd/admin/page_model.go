package admin

import (
	"fmt"
	"slices"
	"time"

	"dfinery-kafka/pipeline"
	"dfinery-kafka/schema"
)

// page is the data of the template: the texts for one View. It is built from the same
// status as the response of /status, so that the two agree.
type page struct {
	Mark      string // of the title: the worst of Yesterday
	Service   string
	Wall      bool
	Zone      string
	Yesterday []verdict
	Actions   []action
	Facts     []fact
	Quota     *quotaFact
	Legend    []legendEntry
	Streams   []streamPage
	Commands  []string
	Counts    []string // of dead letters, by stream, kind and code
	Letters   []letterRow
	Version   string
	At        *moment
}

// verdict states whether the last finished day of a stream is complete.
type verdict struct{ Class, Mark, Stream, Day, Text string }

// fact is one property of the service.
type fact struct {
	Name, Text, Class string
	Until             *moment
}

type quotaFact struct {
	Remaining, Limit, Low int
	Reset                 *moment
}

type legendEntry struct{ Class, Name string }

type letterRow struct{ Time, Stream, Day, Code, Detail string }

// moment is a time with a countdown on the page.
type moment struct{ RFC, In string }

func (p *page) until(now time.Time, t *time.Time) *moment {
	if t == nil || t.IsZero() {
		return nil
	}
	return &moment{RFC: t.UTC().Format(time.RFC3339), In: countdown(t.Sub(now))}
}

// countdown returns the text that page.js updates every second, for browsers without
// script.
func countdown(d time.Duration) string {
	switch s := int(max(0, d.Round(time.Second)).Seconds()); {
	case s == 0:
		return "now"
	case s < 60:
		return fmt.Sprintf("in %ds", s)
	case s < 3600:
		return fmt.Sprintf("in %dm %ds", s/60, s%60)
	default:
		return fmt.Sprintf("in %dh %dm", s/3600, s%3600/60)
	}
}

// maxDetail limits the text of a failure on the page, which a server chooses.
const maxDetail = 200

func shorten(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

func newPage(v *View, s *Server) *page {
	st := v.status()
	loc := s.Location
	if loc == nil {
		loc = time.UTC
	}
	p := &page{
		Service: st.Service, Zone: loc.String(), Version: s.Build.Version,
		At: &moment{RFC: v.At.UTC().Format(time.RFC3339)},
	}
	today := schema.DayOf(v.At, loc)
	for i := range st.Streams {
		stream := &st.Streams[i]
		p.Yesterday = append(p.Yesterday, judgeYesterday(stream, today, loc))
		p.Streams = append(p.Streams, p.stream(v, stream, today))
	}
	p.Mark = titleMark(p.Yesterday)
	p.Actions = actions(v, &st, s.runbookLink())
	p.Facts = p.facts(v, &st, s)
	if q := st.Quota; q != nil {
		p.Quota = &quotaFact{Remaining: q.Remaining, Limit: q.Limit, Low: q.Limit / 10, Reset: p.until(v.At, q.ResetsAt)}
	}
	if len(p.Streams) > 0 {
		p.Legend = legend()
	}
	for i := range v.Pipeline.Commands {
		p.Commands = append(p.Commands, commandText(&v.Pipeline.Commands[i], v.At))
	}
	p.Counts = letterCounts(v)
	for _, l := range v.Letters {
		p.Letters = append(p.Letters, letterRow{
			Time: l.At.UTC().Format(time.RFC3339), Stream: l.Stream, Day: l.Day.String(), Code: shorten(string(l.Code), 64), Detail: shorten(l.Detail, maxDetail),
		})
	}
	return p
}

func letterCounts(v *View) []string {
	var list []string
	for stream, c := range v.Totals {
		for kind, n := range c.Letters {
			list = append(list, fmt.Sprintf("%s: %d × %s %s", stream, n, kind.Kind, shorten(string(kind.Code), 64)))
		}
	}
	slices.Sort(list)
	return list
}

// facts are the properties of the service as a whole.
func (p *page) facts(v *View, st *status, s *Server) []fact {
	ready := fact{Name: "Ready", Text: "yes", Class: "good"}
	if !st.Ready {
		ready.Text, ready.Class = "no", "bad"
		for _, reason := range st.Reasons {
			ready.Text += "; " + shorten(reason, maxDetail)
		}
	}
	list := []fact{p.role(v), ready, p.breaker(v, st), p.token(v)}
	if s.Delivery != "" {
		list = append(list, fact{Name: "Delivery", Text: s.Delivery})
	}
	return list
}

func (p *page) role(v *View) fact {
	switch s := &v.Pipeline; s.Role {
	case pipeline.RoleStandby:
		text := "standby"
		if s.Owner != nil {
			text += " of " + s.Owner.Instance + ", whose last heartbeat was " + s.Owner.Beat.UTC().Format(time.RFC3339)
		}
		return fact{Name: "Role", Text: text + "; the streams below are as this instance last knew them"}
	case pipeline.RoleWaiting:
		return fact{Name: "Role", Text: "waiting for Kafka", Class: "bad"}
	default:
		return fact{Name: "Role", Text: s.Role}
	}
}

func (p *page) breaker(v *View, st *status) fact {
	f := fact{Name: "Circuit breaker", Text: "not known here"}
	if st.Breaker == nil {
		return f
	}
	f.Text, f.Class = st.Breaker.State, "good"
	if st.Breaker.State != "closed" {
		f.Class = "warn"
	}
	if cause := v.Source.Breaker.Cause; cause != "" {
		f.Text += fmt.Sprintf(" after %d failures (%s)", st.Breaker.Failures, shorten(cause, maxDetail))
	}
	if until := p.until(v.At, st.Breaker.Until); until != nil {
		f.Text += ", probes"
		f.Until = until
	}
	return f
}

func (p *page) token(v *View) fact {
	f := fact{Name: "Export token", Text: "not known here"}
	switch {
	case !v.authoritative():
	case v.Source.Token.Refused:
		f.Text, f.Class = "refused by the API; tried again", "bad"
		f.Until = p.until(v.At, &v.Source.Token.Until)
	default:
		f.Text, f.Class = "not refused", "good"
	}
	return f
}
