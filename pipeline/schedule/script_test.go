package schedule

import (
	"bytes"
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/scripttest"
	"dfinery-kafka/schema"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata and the README's tables")

// TestScripts runs the scripts in testdata. Two empty lines end a script; the next one
// has a new schedule and begins at noon. script.run says which commands there are.
func TestScripts(t *testing.T) {
	scripttest.Files(t, "testdata/*.txt", *update, func(_ *testing.T, text string) string {
		var parts []string
		for _, part := range strings.SplitAfter(text, "\n\n\n") {
			parts = append(parts, runScript(part))
		}
		return strings.Join(parts, "\n\n")
	})
}

// runScript returns the script with the output that its commands have now.
func runScript(text string) string {
	s := &script{now: noon.UTC(), calls: map[string]*Outcome{}}
	s.restart(nil, &ledger.Service{})
	return scripttest.Play(text, func(words []string) string {
		s.out.Reset()
		s.run(words)
		return regexp.MustCompile(`(?m) +$`).ReplaceAllString(s.out.String(), "")
	})
}

// script is a schedule under test. Days are named by how many days they are before the
// first today, times by how far they are from the first noon.
type script struct {
	out      bytes.Buffer
	now      time.Time
	config   []StreamConfig
	state    *State
	calls    map[string]*Outcome
	commands []command
}

// command is a backfill.
type command struct {
	stream   string
	from, to schema.Day
	again    bool
	taken    time.Time
}

// restart makes a new process of what the ledger has.
func (s *script) restart(days map[ledger.DayName]ledger.Day, record *ledger.Service) {
	s.state = New(s.config, Policy{Service: "1234", Location: planned, CallsPerHour: 100, RetryBackoff: time.Second, RetryMaxBackoff: 10 * time.Minute,
		NarrowAfter: 3}, s.now)
	s.tell(s.state.Load(record, days, s.now))
}

// tell writes events, a line each.
func (s *script) tell(events []Event) {
	for _, e := range events {
		text := fmt.Sprintf("> %s %s", e.Stream, e.Kind)
		if e.Day != 0 {
			text = fmt.Sprintf("> %s %s %s", e.Stream, backOf(e.Day), e.Kind)
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

// run carries out one command and writes its output:
//
//	stream NAME [kind=] [start=] [lookback=] [events=a,b] [known=a,b] [norows] [contract=]   add a stream
//	once                                   schedule each day once
//	day STREAM BACK STATE [last=-1h] [published=] [error=CODE] …   as the ledger has it
//	wait DURATION                          time passes
//	advance                                what time alone brings about
//	next                                   which days are due, now and later
//	left                                   what is left of once
//	status                                 what is shown of the streams
//	begin STREAM BACK [probe] [empty]      a call begins; with empty the output says if it may be answered without rows
//	ok STREAM BACK [rows=] [published=] [columns=a,b] [names=a,b] [charset=] [noheader]   it ends with success
//	fail STREAM BACK CODE [published=] [clock=5h] [empty] [at=PLACE]   it fails, at is where it is cut; with empty by an answer that DFINERY_EMPTY_DAY names
//	header STREAM a,b                      an export has these columns, before its first row
//	hidden STREAM a,b                      an export has these columns, and the stream hides those of its lists
//	columns STREAM                         those that were refused are accepted
//	accept CUT                             answers with that cut are accepted as complete from now on
//	recover STREAM BACK rows= letters= exports=   found behind the checkpoint
//	lost STREAM BACK ROWS                  fingerprints are missing from the ledger
//	backfill STREAM FROM TO [again]        a command, given now
//	command N                              how far it is
//	pause, resume, block STREAM
//	restart [identity | start=N | hide=a,b@KEY]   a new process, of what the ledger has; with another topic, START, or columns to hide
//	show [STREAM [BACK]]                   the days, and what is kept of the stream
func (s *script) run(args []string) {
	word := func(i int) string { return append(args, "", "", "")[i] }
	switch args[0] {
	case "stream":
		s.addStream(args[1], parseOptions(args[2:]))
	case "once":
		s.state.policy.Once = &Once{Attempts: 5, MaxWait: time.Minute}
	case "day":
		s.addDay(args[1], args[2], args[3], parseOptions(args[4:]))
		s.show(args[1], args[2])
	case "wait":
		s.now = s.now.Add(offset(args[1]))
		fmt.Fprintln(&s.out, since(s.now))
	case "advance":
		s.tell(s.state.Advance(s.now))
	case "next":
		s.next()
	case "left":
		left, soon := s.state.Left(schema.Wait{}, s.now)
		for _, l := range left {
			fmt.Fprintln(&s.out, strings.TrimRight(fmt.Sprintf("%s %s %s %s", l.Stream, backOf(l.Day), l.Wait.For, l.Error), " "))
		}
		fmt.Fprintf(&s.out, "soon: %t\n", soon)
	case "status":
		s.status()
	case "begin":
		s.begin(args[1], args[2], parseOptions(args[3:]))
	case "ok", "fail":
		s.end(args)
	case "recover":
		o := parseOptions(args[3:])
		s.state.Stream(args[1]).Day(dayOf(args[2])).Recover(o.number("rows", 0), o.number("letters", 0), o.number("exports", 0))
		s.show(args[1], args[2])
	case "lost":
		n, err := strconv.Atoi(args[3])
		must(err)
		s.state.Stream(args[1]).Day(dayOf(args[2])).Progress(0, 0, n)
		s.show(args[1], args[2])
	case "backfill":
		s.commands = append(s.commands, command{args[1], dayOf(args[2]), dayOf(args[3]), len(args) > 4, s.now})
		s.carry(len(s.commands))
	case "command":
		n, err := strconv.Atoi(args[1])
		must(err)
		s.carry(n)
	case "pause":
		s.state.Stream(args[1]).Pause()
	case "resume":
		days, events := s.state.Stream(args[1]).AcceptKey(s.now)
		s.tell(events)
		s.state.Stream(args[1]).Resume(s.now)
		if len(days) > 0 {
			fmt.Fprintf(&s.out, "%d days begin anew\n", len(days))
		}
	case "block":
		s.state.Stream(args[1]).Block("the topic is missing")
	case "accept":
		s.state.Accept(schema.Cut(args[1]), s.now)
	case "header":
		refused, _, events := s.state.Stream(args[1]).AdmitColumns(strings.Split(args[2], ","))
		s.tell(events)
		fmt.Fprintf(&s.out, "refused %v, accepted %v\n", refused, s.state.Stream(args[1]).AcceptedColumns())
	case "hidden":
		s.checkHeader(args[1], strings.Split(args[2], ","))
	case "columns":
		fmt.Fprintf(&s.out, "accepted %v of %v\n", s.state.Stream(args[1]).AcceptColumns(s.now), s.state.Stream(args[1]).AcceptedColumns())
	case "restart":
		s.restartFromLedger(word(1))
	case "show":
		s.show(word(1), word(2))
	default:
		panic("unknown command " + args[0])
	}
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
	config := StreamConfig{Name: name, Topic: name, Kind: schema.Event, Poll: 10 * time.Minute, Key: "id",
		Lookback: o.number("lookback", 2), LookbackInterval: time.Hour, StartBack: o.number("start", 30), Filter: schema.Filter{Events: o.list("events")}}
	config.Contract = schema.Contract(o["contract"])
	if o.has("kind") {
		config.Kind, config.Poll = schema.Kind(o["kind"]), 24*time.Hour
	}
	s.config = append(s.config, config)
	st := newStream(config, &s.state.policy)
	st.hasRows, st.names.events, st.identity = !o.has("norows"), o.list("known"), st.Identity()
	s.state.streams = append(s.state.streams, st)
}

func (s *script) addDay(name, back, state string, o options) {
	r := &s.state.Stream(name).Day(dayOf(back)).record
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

func (s *script) next() {
	for i, d := range s.state.plan(s.now) {
		if i == 8 {
			fmt.Fprintln(&s.out, "…")
			break
		}
		fmt.Fprintf(&s.out, "%s %s", d.Stream, backOf(d.Day))
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
		fmt.Fprintf(&s.out, "%s first=%s untried=%d", st.Name, backOf(st.First), st.Untried)
		if st.Halted != nil {
			fmt.Fprintf(&s.out, " halted=%q", *st.Halted)
		}
		if st.Next != nil {
			fmt.Fprintf(&s.out, " next=%s %s", backOf(st.Next.Day), st.Next.WaitsFor)
		}
		fmt.Fprintln(&s.out)
		for _, d := range st.Days {
			fmt.Fprintf(&s.out, "%s %s\n", backOf(d.Day), d.State)
		}
	}
}

func (s *script) begin(name, back string, o options) {
	call := s.state.Begin(Due{Stream: name, Day: dayOf(back), Probe: o.has("probe")}, s.now)
	s.calls[name+back] = &Outcome{Name: ledger.DayName{Stream: name, Day: dayOf(back)}, Call: call, Started: s.now, Jitter: 1}
	fmt.Fprintf(&s.out, "call %d attempt %d", call.N, call.Attempt)
	if call.Slice {
		fmt.Fprint(&s.out, " slice")
	}
	if call.MayBeEmpty && o.has("empty") {
		fmt.Fprint(&s.out, " may be empty")
	}
	if call.Charset != "" && call.Charset != schema.UTF8 {
		fmt.Fprintf(&s.out, " after rows in %s", call.Charset)
	}
	if names := call.Filter.Events; len(names) > 0 {
		fmt.Fprintf(&s.out, " of %s", strings.Join(names, ","))
	}
	if names := call.Filter.ExcludeEvents; len(names) > 0 {
		fmt.Fprintf(&s.out, " without %s", strings.Join(names, ","))
	}
	fmt.Fprintln(&s.out)
}

func (s *script) end(args []string) {
	name, back := args[1], args[2]
	o := s.calls[name+back]
	delete(s.calls, name+back)
	o.Took = s.now.Sub(o.Started)
	given := parseOptions(args[3:])
	published := given.number("published", 0)
	s.state.Day(o.Name).Progress(published, 0, 0)
	if args[0] == "ok" {
		o.Rows = given.number("rows", published)
		o.Known = o.Rows - published
		columns := given.list("columns")
		if columns == nil && !given.has("noheader") {
			columns = []string{"id"}
		}
		o.EventNames = append(slices.Clone(s.state.Stream(name).EventNames()), given.list("names")...)
		var err error
		o.Columns, err = schema.NewColumns(columns)
		must(err)
		o.Charset = given["charset"]
	} else {
		code := schema.Code(args[3])
		o.Lettered = true
		o.Failure = &schema.Failure{Code: code, Class: classOf(code), Detail: "now", Date: s.now}
		if given.has("clock") {
			o.Failure.Date = s.now.Add(offset(given["clock"]))
		}
		if given.has("empty") {
			o.Failure.Class, o.Failure.Empty = schema.Refused, true
		}
		if o.Failure.Class == schema.Truncated {
			o.Failure.Code, o.Failure.Cut, o.Failure.CutAt = schema.MaybeTorn, schema.Cut(code), given["at"]
			if o.Lettered = !slices.Contains(s.state.Day(o.Name).CutLetters(), o.Failure.Cut); !o.Lettered {
				fmt.Fprintln(&s.out, "no dead letter")
			}
		}
	}
	s.tell(s.state.Apply(o, s.now))
	s.show(name, back)
}

func classOf(code schema.Code) schema.Class {
	switch code {
	case "cancelled":
		return schema.Cancelled
	case "no_newline", "unclosed_cell", "too_few_fields":
		return schema.Truncated
	}
	return schema.RuleOf(code).Class
}

// carry does what the owner does for a backfill.
func (s *script) carry(n int) {
	c := &s.commands[n-1]
	count := map[Answer]int{}
	for at := max(c.from, s.state.policy.today(s.now)-schema.Reach); at <= c.to; at++ {
		name := ledger.DayName{Stream: c.stream, Day: at}
		if by := fmt.Sprint("command ", n); c.again && s.state.Record(name).AgainBy != by {
			s.state.Day(name).Restart(by)
			count[Unanswered]++
			continue
		}
		answer := s.state.Day(name).Answer(c.taken)
		if count[answer]++; answer == Unanswered {
			s.state.Day(name).Request()
		}
	}
	fmt.Fprintf(&s.out, "%d exported, %d out of reach, %d to do\n", count[Exported], count[OutOfReach], count[Unanswered])
}

func (s *script) restartFromLedger(change string) {
	days := map[ledger.DayName]ledger.Day{}
	for name, record := range s.state.Days() {
		if record.Exports > 0 || record.State != ledger.Pending { // else it was never written
			days[name] = record
		}
	}
	record := new(ledger.Service)
	s.state.Enter(record, s.now)
	for i := range s.config {
		if change == "identity" {
			s.config[i].Topic += "2"
		}
		if hidden, ok := strings.CutPrefix(change, "hide="); ok {
			s.config[i].Hidden, s.config[i].HiddenKey, _ = strings.Cut(hidden, "@")
		}
		if start, ok := strings.CutPrefix(change, "start="); ok {
			s.config[i].StartBack, _ = strconv.Atoi(start)
		}
	}
	s.restart(days, record)
	s.state.ForgetExclusive()
}

// checkHeader checks a header before its first row. Its names are used as their own hash.
func (s *script) checkHeader(name string, header []string) {
	st := s.state.Stream(name)
	listed := strings.Split(st.Hidden, ",")
	missing := slices.DeleteFunc(slices.Clone(listed), func(name string) bool { return slices.Contains(header, name) })
	refused, changed := st.CheckHeader(&Header{Names: header, Listed: listed, Missing: missing, Hash: strings.Join(header, " ")})
	if refused != nil {
		fmt.Fprintf(&s.out, "refused: missing %v, new %v, changed %t\n", refused.Missing, refused.New, changed)
		return
	}
	fmt.Fprintf(&s.out, "accepted, changed %t\n", changed)
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
				fmt.Fprintf(&s.out, "%s %s\n", backOf(at), showDay(st.days[at]))
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
