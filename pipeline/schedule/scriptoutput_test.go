package schedule

import (
	"fmt"
	"strings"
	"time"

	"dfinery-kafka/schema"
)

// tell prints events, one in each line.
func (s *script) tell(events []Event) {
	for _, e := range events {
		text := fmt.Sprintf("> %s %s", e.Stream, e.Kind)
		if e.Day != 0 {
			text = fmt.Sprintf("> %s %s %s", e.Stream, daysBefore(e.Day), e.Kind)
		}
		add := func(when bool, format string, args ...any) {
			if when {
				text += " " + fmt.Sprintf(format, args...)
			}
		}
		add(e.State != "", "state=%s", e.State)
		add(e.BeforeStart, "before_start")
		add(e.Code != "", "code=%s", e.Code)
		add(e.Cut != "", "cut=%s", e.Cut)
		add(e.Count != 0, "count=%d", e.Count)
		add(e.EventName != "", "event=%s", e.EventName)
		if !e.At.IsZero() {
			add(true, "at=%s", since(e.At))
		}
		if !e.Until.IsZero() {
			add(true, "until=%s", since(e.Until))
		}
		add(len(e.Added) > 0, "added=%s", strings.Join(e.Added, ","))
		add(e.Contract != "", "contract=%s", e.Contract)
		fmt.Fprintln(&s.out, text)
	}
}

func daysBefore(d schema.Day) string { return fmt.Sprintf("-%d", today-d) }

func since(at time.Time) string {
	d := at.Sub(noon).Round(time.Second)
	text, rest := "+", d.Abs()
	if d < 0 {
		text = "-"
	}
	for _, unit := range []struct {
		name string
		of   time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if n := rest / unit.of; n > 0 || d == 0 && unit.name == "s" {
			text += fmt.Sprintf("%d%s", n, unit.name)
			rest -= n * unit.of
		}
	}
	return text
}

func (s *script) next() {
	for i, d := range s.state.plan(s.now) {
		if i == 8 {
			fmt.Fprintln(&s.out, "…")
			break
		}
		fmt.Fprintf(&s.out, "%s %s", d.Stream, daysBefore(d.Day))
		if d.Probe {
			fmt.Fprint(&s.out, " probe")
		}
		if d.At.After(s.now) {
			fmt.Fprintf(&s.out, " %s until %s", d.Waits, since(d.At))
		} else if stop := d.stream.stopped(s.now); stop.For != "" {
			fmt.Fprintf(&s.out, " %s", stop.For)
			if !stop.Until.IsZero() {
				fmt.Fprintf(&s.out, " until %s", since(stop.Until))
			}
		} else if d.stream.retrying() {
			fmt.Fprint(&s.out, " not before the call under way has ended")
		} else if !d.startable(s.state.policy.Once, s.now) {
			fmt.Fprint(&s.out, " not by once")
		}
		fmt.Fprintln(&s.out)
	}
}

func (s *script) status() {
	for _, st := range s.state.Status(schema.Wait{}, s.now) {
		fmt.Fprintf(&s.out, "%s first=%s untried=%d", st.Name, daysBefore(st.First), st.Untried)
		if st.Halted != nil {
			fmt.Fprintf(&s.out, " halted=%q", *st.Halted)
		}
		if st.Next != nil {
			fmt.Fprintf(&s.out, " next=%s %s", daysBefore(st.Next.Day), st.Next.WaitsFor)
		}
		fmt.Fprintln(&s.out)
		for _, d := range st.Days {
			fmt.Fprintf(&s.out, "%s %s\n", daysBefore(d.Day), d.State)
		}
	}
}

func (s *script) show(name, back string) {
	for _, st := range s.state.streams {
		if name != "" && st.Name != name {
			continue
		}
		if back == "" || st.halted != nil {
			fmt.Fprintf(&s.out, "%s%s\n", st.Name, showStream(st))
		}
		for _, at := range st.days.inOrder() {
			if back == "" || at == dayOf(back) {
				fmt.Fprintf(&s.out, "%s %s\n", daysBefore(at), showDay(st.days[at]))
			}
		}
	}
}

func showStream(st *Stream) string {
	text := ""
	if st.paused {
		text += " paused"
	}
	if st.blocked != "" {
		text += " blocked"
	}
	if h := st.halted; h != nil {
		text += fmt.Sprintf(" halted %s until %s", h.Code, since(h.Until))
	}
	return text
}

func showDay(d *Day) string {
	r := d.record
	text := string(r.State)
	add := func(when bool, format string, args ...any) {
		if when {
			text += " " + fmt.Sprintf(format, args...)
		}
	}
	add(r.Final, "final")
	add(r.LastLook, "last_look")
	add(r.Generation != 1, "generation=%d from=%d", r.Generation, r.From)
	add(r.Published > 0, "published=%d", r.Published)
	add(r.Bad > 0, "bad=%d", r.Bad)
	add(r.Missing > 0, "missing_rows=%d", r.Missing)
	if r.LastSuccess != nil {
		add(true, "last=%s", since(*r.LastSuccess))
	}
	if f := r.Error; f != nil {
		add(true, "error=%s attempts=%d until=%s", f.Code, f.Attempts, since(f.Until))
	}
	add(d.cut.Cut != "", "cut=%s times=%d", d.cut.Cut, d.cut.Times)
	add(len(r.MissingEvents) > 0, "missing=%s", strings.Join(r.MissingEvents, ","))
	var list []string
	for _, slice := range r.Slices {
		part := strings.Join(slice.Events, ",")
		if len(slice.Events) == 0 {
			part = "not:" + strings.Join(slice.Exclude, ",")
		}
		list = append(list, part)
	}
	add(len(list) > 0, "slices=%s", strings.Join(list, "|"))
	add(d.requested, "requested")
	add(d.running, "running")
	return text
}
