package schedule

import (
	"testing"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// TestStops: the reason why a stream makes no calls, as the schedule and the status give it.
func TestStops(t *testing.T) {
	halted := func(code schema.Code, in time.Duration) *ledger.Halt {
		return &ledger.Halt{Code: code, Detail: "why " + string(code), Since: noon, Until: noon.Add(in)}
	}
	for name, test := range map[string]struct {
		stops stops
		want  schema.Wait
		shown string
	}{
		"nothing":                         {stops{}, schema.Wait{}, ""},
		"paused":                          {stops{paused: true}, schema.Wait{For: schema.WaitPaused}, ""},
		"paused and halted":               {stops{paused: true, halted: halted(schema.BadHeader, time.Hour)}, schema.Wait{For: schema.WaitPaused}, "why bad_header"},
		"halted":                          {stops{halted: halted(schema.BadHeader, time.Hour)}, schema.Wait{For: schema.WaitHalted, Until: noon.Add(time.Hour)}, "why bad_header"},
		"a halt that is over":             {stops{halted: halted(schema.BadHeader, 0)}, schema.Wait{}, ""},
		"another key, until it is ended":  {stops{halted: halted(schema.PrivacyKey, 0)}, schema.Wait{For: schema.WaitHalted}, "why privacy_key"},
		"no topic":                        {stops{blocked: "no topic"}, schema.Wait{For: schema.WaitHalted}, "no topic"},
		"no topic, and halted for longer": {stops{blocked: "no topic", halted: halted(schema.BadHeader, time.Hour)}, schema.Wait{For: schema.WaitHalted}, "why bad_header"},
	} {
		if got := test.stops.stopped(noon); got != test.want {
			t.Errorf("%s: waits for %+v, want %+v", name, got, test.want)
		}
		shown := ""
		if why := test.stops.shown(noon); why != nil {
			shown = *why
		}
		if shown != test.shown {
			t.Errorf("%s: shows %q, want %q", name, shown, test.shown)
		}
	}
}

// TestStops_EndHalt: only the code of a halt ends it, and the record that was read before
// is not changed.
func TestStops_EndHalt(t *testing.T) {
	var s stops
	s.halt(schema.NewColumn, "new", noon, noon.Add(time.Hour))
	before := s.halted
	s.haltUntil(noon.Add(2 * time.Hour))
	if !before.Until.Equal(noon.Add(time.Hour)) || !s.halted.Until.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("until %v, and now %v", before.Until, s.halted.Until)
	}
	if s.endHalt(schema.PrivacyColumns) || s.HaltedBy() != schema.NewColumn {
		t.Error("another code ends the halt")
	}
	if !s.endHalt(schema.NewColumn) || s.HaltedBy() != "" || s.endHalt(schema.NewColumn) {
		t.Error("the halt is not ended by its code, or is ended twice")
	}
}
