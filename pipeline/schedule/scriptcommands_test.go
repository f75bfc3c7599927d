package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

func (s *script) addStream(name string, o options) {
	config := StreamConfig{Name: name, Topic: name, Kind: schema.Event, Poll: 10 * time.Minute, Key: "id",
		Lookback: o.number("lookback", 2), LookbackInterval: time.Hour, StartBack: o.number("start", 30), Filter: schema.Filter{Events: o.list("events")}}
	config.Contract = schema.Contract(o["contract"])
	if o.has("kind") {
		config.Kind, config.Poll = schema.Kind(o["kind"]), 24*time.Hour
	}
	s.config = append(s.config, config)
	st := newStream(config, &s.state.policy)
	st.exportHadRows, st.names.events, st.identity = !o.has("norows"), o.list("known"), st.Identity()
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

// runBackfill executes a backfill as the owner does, and prints its progress.
func (s *script) runBackfill(n int) {
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
		if record.Exports > 0 || record.State != ledger.Pending { // others have no record in the ledger
			days[name] = record
		}
	}
	record := new(ledger.Service)
	s.state.SaveTo(record, s.now)
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

// checkHeader checks a header against the stream's hidden columns, with its text as its hash.
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
