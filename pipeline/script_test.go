package pipeline

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

var update = flag.Bool("update", false, "rewrite the expected output of the scripts in testdata")

// TestScripts runs the scripts in testdata/schedule: commands, each followed by "----" and its whole output up to an empty line. A line that
// begins with # is a comment. Two empty lines end a script; the next one has a new schedule and begins at noon. script.run says which
// commands there are.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/schedule/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, part := range strings.SplitAfter(string(want), "\n\n\n") { // each has a clock of its own
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(time.Until(noon))
					got += runScript(part)
				})
				got += "\n\n"
			}
			got = strings.TrimRight(got, "\n") + "\n"
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// runScript returns the script with the output that its commands have now.
func runScript(text string) string {
	var out strings.Builder
	var s *script
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		fmt.Fprintln(&out, line)
		if line == "" || line[0] == '#' {
			continue
		}
		for lines.Scan() && lines.Text() != "" { // the output of before
		}
		args := strings.Fields(line)
		if s == nil {
			s = newScript()
		}
		s.log.Reset()
		shown := s.run(args)
		fmt.Fprintf(&out, "----\n%s%s\n", s.log.String(), shown)
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// script is a schedule under test. Days are named by how many days they are before today's noon at the start, times by how far they are from it.
type script struct {
	log    bytes.Buffer
	tenure *tenure
	calls  map[string]*export
}

func newScript() *script {
	s := &script{calls: map[string]*export{}}
	s.restart(nil, ledger.Service{})
	return s
}

// restart makes a new process of what the ledger has.
func (s *script) restart(days map[ledger.DayName]*ledger.Day, record ledger.Service) {
	var streams []*stream
	if s.tenure != nil {
		for _, st := range s.tenure.streams {
			streams = append(streams, &stream{Stream: st.Stream, days: map[schema.Day]*day{}})
		}
	}
	log := slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Key {
		case slog.TimeKey, "do":
			return slog.Attr{}
		}
		if d, ok := a.Value.Any().(schema.Day); ok {
			return slog.String(a.Key, backOf(d))
		}
		if at, ok := a.Value.Any().(time.Time); ok {
			return slog.String(a.Key, since(at))
		}
		return a
	}}))
	s.tenure = newTenure(&Service{ID: "1234", Location: planned, Log: log, RetryBackoff: time.Second, RetryMaxBackoff: 10 * time.Minute, NarrowAfter: 3,
		OnceAttempts: 5, ConcurrentCalls: 5, CallsPerHour: 100}, &ledger.Books{})
	s.tenure.jitter = func(d time.Duration) time.Duration { return d }
	s.tenure.streams = streams
	s.tenure.adopt(&ledger.State{Days: days, Service: &record, Checkpoint: &ledger.Checkpoint{}, Commands: map[string]*ledger.Command{}})
}

func backOf(d schema.Day) string { return fmt.Sprintf("-%d", today-d) }

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

// offset reads what since writes, days included: 1d, -30h.
func offset(text string) time.Duration {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		must(err)
		return time.Duration(n) * 24 * time.Hour
	}
	d, err := time.ParseDuration(text)
	must(err)
	return d
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// options are the words key=value, or key alone, that follow a command's own.
type options map[string]string

func parseOptions(args []string) options {
	o := options{}
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		o[key] = value
	}
	return o
}

func (o options) has(key string) bool { _, ok := o[key]; return ok }

func (o options) number(key string, otherwise int) int {
	if !o.has(key) {
		return otherwise
	}
	n, err := strconv.Atoi(o[key])
	must(err)
	return n
}

func (o options) list(key string) []string {
	if o[key] == "" {
		return nil
	}
	return strings.Split(o[key], ",")
}

func (o options) at(key string) *time.Time {
	if !o.has(key) {
		return nil
	}
	at := noon.Add(offset(o[key])).UTC()
	return &at
}

// run carries out one command and returns what it shows.
//
//	stream NAME [kind=] [start=] [lookback=] [events=a,b] [known=a,b] [norows]   add a stream
//	day STREAM BACK STATE [last=-1h] [published=] [error=CODE] …                  as the ledger has it
//	wait DURATION                  time passes
//	advance                        what time alone brings about
//	next                           which days are due, now and later
//	begin STREAM BACK [probe]      a call begins
//	ok STREAM BACK [rows=] [published=]   it ends with success
//	fail STREAM BACK CODE [clock=5h]      it fails
//	backfill STREAM FROM TO [again]       the command, given now; command ID shows how far it is
//	pause, resume STREAM
//	restart [identity]             a new process, of what the ledger has
//	show [STREAM [BACK]]           the days, and what is kept of the stream
func (s *script) run(args []string) string {
	t := s.tenure
	switch args[0] {
	case "stream":
		s.addStream(args[1], parseOptions(args[2:]))
		return ""
	case "day":
		s.addDay(args[1], args[2], args[3], parseOptions(args[4:]))
		return s.show(args[1], args[2])
	case "wait":
		time.Sleep(offset(args[1]))
		return since(time.Now()) + "\n"
	case "advance":
		t.age(time.Now().UTC())
		return ""
	case "next":
		return s.next()
	case "begin":
		return s.begin(args[1], args[2], parseOptions(args[3:]))
	case "ok", "fail":
		return s.end(args)
	case "backfill":
		c := &ledger.Command{ID: fmt.Sprintf("c%d", len(t.commands)+1), Verb: VerbBackfill, Stream: args[1], From: dayOf(args[2]), To: dayOf(args[3]),
			Again: len(args) > 4, Given: time.Now()}
		t.commands = append(t.commands, c)
		return s.carry(c.ID)
	case "command":
		return s.carry(args[1])
	case "pause", "resume":
		c := &ledger.Command{Verb: args[0], Stream: args[1]}
		t.carry(context.Background(), c)
		return c.Result + "\n"
	case "restart":
		s.restartFromLedger(len(args) > 1)
		return ""
	case "show":
		return s.show(append(args[1:], "", "")[0], append(args[1:], "", "")[1])
	}
	panic("unknown command " + args[0])
}

func dayOf(back string) schema.Day {
	n, err := strconv.Atoi(strings.TrimPrefix(back, "-"))
	must(err)
	if strings.HasPrefix(back, "+") {
		n = -n
	}
	return today - schema.Day(n)
}

func (s *script) addStream(name string, o options) {
	st := &stream{days: map[schema.Day]*day{}, Stream: Stream{Name: name, Topic: name, Kind: schema.Event, Poll: 10 * time.Minute, Key: "id",
		Lookback: o.number("lookback", 2), LookbackInterval: time.Hour, StartBack: o.number("start", 30), Filter: schema.Filter{Events: o.list("events")}}}
	if o.has("kind") {
		st.Kind, st.Poll = schema.Kind(o["kind"]), 24*time.Hour
	}
	st.kept.HasRows, st.kept.Events, st.kept.Identity = !o.has("norows"), o.list("known"), st.identity()
	s.tenure.streams = append(s.tenure.streams, st)
}

func (s *script) addDay(name, back, state string, o options) {
	r := &s.tenure.stream(name).day(dayOf(back)).record
	r.State, r.Published, r.Rows, r.Exports = ledger.DayState(state), o.number("published", 0), o.number("rows", o.number("published", 0)), o.number("exports", 1)
	r.LastSuccess, r.FirstExport, r.LastExport = o.at("last"), o.at("last"), o.at("last")
	if o.has("first") {
		r.FirstExport = o.at("first")
	}
	if r.FirstExport == nil {
		at := noon.Add(-time.Hour).UTC()
		r.FirstExport, r.LastExport = &at, &at
	}
	r.Final, r.LastLook = o.has("final"), o.has("last_look")
	r.MissingEvents, r.MissingTried = o.list("missing"), o.at("tried")
	for _, slice := range strings.Split(o["slices"], "|") {
		if slice != "" {
			r.Slices = append(r.Slices, ledger.Slice{Events: strings.Split(slice, ",")})
		}
	}
	if o.has("error") {
		r.Error = &ledger.Fault{Code: schema.Code(o["error"]), Detail: "before", At: *r.LastExport, Attempts: o.number("attempts", 1), Until: *r.LastExport}
	}
}

func (s *script) next() string {
	now := time.Now()
	var b strings.Builder
	for i, d := range plan(s.tenure.streams, now, planned) {
		if i == 8 {
			b.WriteString("…\n")
			break
		}
		fmt.Fprintf(&b, "%s %s", d.stream.Name, backOf(d.day))
		if d.probe {
			b.WriteString(" probe")
		}
		if d.at.After(now) {
			fmt.Fprintf(&b, " %s until %s", d.waits, since(d.at))
		} else if stop := d.stream.stopped(now); stop.For != "" {
			fmt.Fprintf(&b, " %s", stop.For)
			if !stop.Until.IsZero() {
				fmt.Fprintf(&b, " until %s", since(stop.Until))
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// begin does what tenure.start does, but for the call itself.
func (s *script) begin(name, back string, o options) string {
	now := time.Now().UTC()
	st := s.tenure.stream(name)
	e := s.tenure.begin(due{stream: st, day: dayOf(back), probe: o.has("probe")}, now)
	e.day.export = e
	s.calls[name+back] = e
	text := fmt.Sprintf("call %d attempt %d", e.call.N, e.call.Attempt)
	if e.call.Slice {
		text += " slice"
	}
	if f := e.call.Filter; len(f.Events) > 0 {
		text += " of " + strings.Join(f.Events, ",")
	}
	if f := e.call.Filter; len(f.ExcludeEvents) > 0 {
		text += " without " + strings.Join(f.ExcludeEvents, ",")
	}
	return text + "\n"
}

func (s *script) end(args []string) string {
	name, back := args[1], args[2]
	e := s.calls[name+back]
	delete(s.calls, name+back)
	e.day.export, e.day.ended = nil, e
	e.took = time.Since(e.started)
	if args[0] == "ok" {
		o := parseOptions(args[3:])
		e.sum.Published = o.number("published", 0)
		e.sum.Duplicates = o.number("rows", e.sum.Published) - e.sum.Published
		e.columns, _ = schema.NewColumns([]string{"id"})
	} else {
		code := schema.Code(args[3])
		f := &schema.Failure{Code: code, Class: classOf(code), Detail: "now", Date: time.Now()}
		if o := parseOptions(args[4:]); o.has("clock") {
			f.Date = f.Date.Add(offset(o["clock"]))
		}
		e.sum.Published = parseOptions(args[4:]).number("published", 0)
		e.err = f
	}
	s.tenure.gather()
	return s.show(name, back)
}

func classOf(code schema.Code) schema.Class {
	switch code {
	case schema.QueryError, schema.UnknownError:
		return schema.Outage
	case schema.InvalidParameter, schema.BadHeader:
		return schema.Refused
	case schema.ExceedDateRangeLimit:
		return schema.OutOfReach
	case schema.TooManyAPIRequests:
		return schema.Throttled
	case schema.UnauthorizedToken:
		return schema.Unauthorized
	case "cancelled":
		return schema.Cancelled
	}
	return schema.Trouble
}

func (s *script) carry(id string) string {
	for _, c := range s.tenure.commands {
		if c.ID != id {
			continue
		}
		_, done := s.tenure.carry(context.Background(), c)
		text := fmt.Sprintf("%s: %d of %d", id, c.Finished, c.Total)
		if done {
			text += " done: " + c.Result
			if c.Error != "" {
				text += ", error: " + c.Error
			}
		}
		return text + "\n"
	}
	panic("no command " + id)
}

func (s *script) restartFromLedger(identity bool) {
	days := map[ledger.DayName]*ledger.Day{}
	for d := range s.tenure.days {
		if d.record.Exports > 0 || d.record.State != ledger.Pending { // else it was never written
			record := d.record
			record.Published, record.Bad = d.record.Published, d.record.Bad
			days[d.name] = &record
		}
	}
	s.tenure.source = noSource{}
	s.tenure.refreshServiceRecord()
	commands := s.tenure.commands
	if identity {
		for _, st := range s.tenure.streams {
			st.Topic += "2"
		}
	}
	s.restart(days, s.tenure.serviceRecord)
	s.tenure.commands = commands
}

func (s *script) show(name, back string) string {
	var b strings.Builder
	for _, st := range s.tenure.streams {
		if name != "" && st.Name != name {
			continue
		}
		if back == "" {
			fmt.Fprintf(&b, "%s%s\n", st.Name, s.showStream(st))
		}
		var list []schema.Day
		for at := range st.days {
			if back == "" || at == dayOf(back) {
				list = append(list, at)
			}
		}
		slices.Sort(list)
		for _, at := range list {
			fmt.Fprintf(&b, "%s %s\n", backOf(at), showDay(st.days[at]))
		}
		if back != "" && st.kept.Halted != nil {
			fmt.Fprintf(&b, "%s%s\n", st.Name, s.showStream(st))
		}
	}
	return b.String()
}

func (s *script) showStream(st *stream) string {
	text := ""
	if st.kept.Paused {
		text += " paused"
	}
	if h := st.kept.Halted; h != nil {
		text += fmt.Sprintf(" halted %s until %s", h.Code, since(h.Until))
	}
	return text
}

func showDay(d *day) string {
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
	add(r.Missing > 0, "missing_rows=%d", r.Missing)
	if r.LastSuccess != nil {
		add(true, "last=%s", since(*r.LastSuccess))
	}
	if f := r.Error; f != nil {
		add(true, "error=%s attempts=%d until=%s", f.Code, f.Attempts, since(f.Until))
	}
	add(len(r.MissingEvents) > 0, "missing=%s", strings.Join(r.MissingEvents, ","))
	var list []string
	for _, slice := range r.Slices {
		part := strings.Join(slice.Events, ",")
		if len(slice.Exclude) > 0 {
			part = "not:" + strings.Join(slice.Exclude, ",")
		}
		list = append(list, part)
	}
	add(len(list) > 0, "slices=%s", strings.Join(list, "|"))
	add(d.wanted, "requested")
	add(d.export != nil, "running")
	return text
}

// noSource has no memory.
type noSource struct{}

func (noSource) Reserve(time.Time, int) (Permit, schema.Wait) { return nil, schema.Wait{} }
func (noSource) State() json.RawMessage                       { return nil }
