package schedule

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// TestStarts: the next start that log and status give is the latest of the day's own time,
// the end of the stream's wait and the end of the source's wait.
func TestStarts(t *testing.T) {
	wait := func(reason schema.Reason, in time.Duration) schema.Wait {
		return schema.Wait{For: reason, Until: noon.Add(in)}
	}
	halted := func(in time.Duration) func(*Stream) {
		return func(s *Stream) { s.halted = &ledger.Halt{Until: noon.Add(in)} }
	}
	paused := func(s *Stream) { s.paused = true }
	for name, test := range map[string]struct {
		in    time.Duration // until the day's own time
		own   schema.Reason
		state func(*Stream)
		all   schema.Wait
		want  schema.Wait
	}{
		"due":                      {want: wait("", 0)},
		"its own time":             {in: time.Minute, own: schema.WaitPoll, want: wait(schema.WaitPoll, time.Minute)},
		"due, the breaker is open": {all: wait(schema.WaitBreaker, time.Hour), want: wait(schema.WaitBreaker, time.Hour)},
		"its own time, the breaker is open longer": {time.Minute, schema.WaitBackoff, nil, wait(schema.WaitBreaker, time.Hour), wait(schema.WaitBreaker, time.Hour)},
		"its own time, the breaker ends before":    {time.Hour, schema.WaitPoll, nil, wait(schema.WaitBreaker, time.Minute), wait(schema.WaitPoll, time.Hour)},
		"due, a call under way is waited for":      {all: schema.Wait{For: schema.WaitQuota}, want: schema.Wait{For: schema.WaitQuota}},
		"a call under way will have ended by then": {time.Minute, schema.WaitPoll, nil, schema.Wait{For: schema.WaitQuota}, wait(schema.WaitPoll, time.Minute)},
		"halted":                             {state: halted(time.Hour), want: wait(schema.WaitHalted, time.Hour)},
		"halted, the breaker is open longer": {state: halted(time.Minute), all: wait(schema.WaitBreaker, time.Hour), want: wait(schema.WaitBreaker, time.Hour)},
		"halted, a call is under way":        {state: halted(time.Hour), all: schema.Wait{For: schema.WaitQuota}, want: wait(schema.WaitHalted, time.Hour)},
		"paused":                             {time.Minute, schema.WaitPoll, paused, wait(schema.WaitBreaker, time.Hour), schema.Wait{For: schema.WaitPaused}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestStream("a", nil)
			if test.state != nil {
				test.state(s)
			}
			d := Due{Stream: s.Name, stream: s, Day: today, At: noon.Add(test.in), Waits: test.own}
			if diff := cmp.Diff(test.want, d.starts(test.all, noon)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
