package schedule

import (
	"bytes"
	"flag"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/scripttest"
	"dfinery-kafka/schema"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata and the README's tables")

// TestScripts runs the scripts in testdata and compares their output. Two empty lines end a
// script; each has its own schedule and begins at noon. script.run lists the commands.
func TestScripts(t *testing.T) {
	scripttest.Files(t, "testdata/*.txt", *update, func(_ *testing.T, text string) string {
		var parts []string
		for _, part := range strings.SplitAfter(text, "\n\n\n") {
			parts = append(parts, runScript(part))
		}
		return strings.Join(parts, "\n\n")
	})
}

// runScript executes a script and returns it with the output of each command.
func runScript(text string) string {
	s := &script{now: noon.UTC(), calls: map[string]*Outcome{}}
	s.restart(nil, &ledger.Service{})
	return scripttest.Play(text, func(words []string) string {
		s.out.Reset()
		s.run(words)
		return regexp.MustCompile(`(?m) +$`).ReplaceAllString(s.out.String(), "")
	})
}

// script is a schedule under test. Days are given as days before today at the start of the
// script, times as durations since its noon.
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
	taken    time.Time // when the owner took it
}

// restart replaces the schedule by a new one that loads the given ledger.
func (s *script) restart(days map[ledger.DayName]ledger.Day, record *ledger.Service) {
	s.state = New(s.config, Policy{Service: "1234", Location: planned, CallsPerHour: 100, RetryBackoff: time.Second, RetryMaxBackoff: 10 * time.Minute,
		NarrowAfter: 3}, s.now)
	s.tell(s.state.Load(record, days, s.now))
}

// run carries out one command and writes its output:
//
//	stream NAME [kind=] [start=] [lookback=] [events=a,b] [known=a,b] [norows] [contract=]   configure a stream
//	once                                   schedule each day once
//	day STREAM BACK STATE [last=-1h] [published=] [error=CODE] …   a record in the ledger
//	wait DURATION                          advance the clock
//	advance                                apply the changes that depend on time alone
//	next                                   print the plan: days that are due now or later
//	left                                   print what "run --once" has left to do
//	status                                 print the status of the streams
//	begin STREAM BACK [probe] [empty]      a call begins; with empty, print whether an answer without rows is allowed
//	ok STREAM BACK [rows=] [published=] [columns=a,b] [names=a,b] [charset=] [noheader]   the call succeeds
//	fail STREAM BACK CODE [published=] [clock=5h] [empty] [at=PLACE]   the call fails; at: the place of a cut; empty: the answer is one that DFINERY_EMPTY_DAY names
//	header STREAM a,b                      check the header of an export
//	hidden STREAM a,b                      check the header of an export of a stream that hides columns
//	columns STREAM                         accept the refused columns
//	accept CUT                             accept answers with this kind of cut as complete
//	recover STREAM BACK rows= letters= exports=   recovery finds these after the checkpoint
//	lost STREAM BACK ROWS                  fingerprints are missing from the ledger
//	backfill STREAM FROM TO [again]        submit a backfill and execute it
//	command N                              execute the backfill again and print its progress
//	pause, resume, block STREAM
//	restart [identity | start=N | hide=a,b@KEY]   restart from the ledger, with another topic, START, or hidden columns
//	show [STREAM [BACK]]                   print streams and days
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
			fmt.Fprintln(&s.out, strings.TrimRight(fmt.Sprintf("%s %s %s %s", l.Stream, daysBefore(l.Day), l.Wait.For, l.Error), " "))
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
		s.runBackfill(len(s.commands))
	case "command":
		n, err := strconv.Atoi(args[1])
		must(err)
		s.runBackfill(n)
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
		fmt.Fprintf(&s.out, "refused %v, accepted %v\n", refused, s.state.Stream(args[1]).columns.accepted)
	case "hidden":
		s.checkHeader(args[1], strings.Split(args[2], ","))
	case "columns":
		fmt.Fprintf(&s.out, "accepted %v of %v\n", s.state.Stream(args[1]).AcceptColumns(s.now), s.state.Stream(args[1]).columns.accepted)
	case "restart":
		s.restartFromLedger(word(1))
	case "show":
		s.show(word(1), word(2))
	default:
		panic("unknown command " + args[0])
	}
}
