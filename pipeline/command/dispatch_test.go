package command

import (
	"testing"

	"dfinery-kafka/schema"
)

func TestReplayOf(t *testing.T) {
	t.Parallel()
	const old = today - schema.Reach - 1
	row := func(day schema.Day, id string) *schema.DeadLetter {
		return &schema.DeadLetter{Kind: schema.KindRow, Day: day, Row: &schema.LetterRow{ID: id, Raw: "a,1", RawBytes: 3, Columns: []string{"key", "value"}}}
	}
	for name, test := range map[string]struct {
		letter   *schema.DeadLetter
		kind     schema.Kind
		changes  bool
		fromCopy bool
		day      schema.Day
	}{
		"an export":                         {&schema.DeadLetter{Kind: schema.KindExport, Day: today - 1}, schema.Event, false, false, today - 1},
		"a row":                             {row(today-1, "id"), schema.Event, false, true, today - 1},
		"an old row":                        {row(old, "id"), schema.Event, false, true, old},
		"a row without an id":               {row(today-1, ""), schema.Event, false, false, today - 1},
		"an old row without an id":          {row(old, ""), schema.Event, false, true, old},
		"an export of a snapshot":           {&schema.DeadLetter{Kind: schema.KindExport, Day: today - 1}, schema.UserProfile, false, false, today},
		"a row of a snapshot":               {row(today-1, "id"), schema.UserProfile, false, true, today},
		"a row of a snapshot, MODE=changes": {row(today-1, "id"), schema.UserProfile, true, false, today},
	} {
		if fromCopy, day := ReplayOf(test.letter, test.kind, test.changes, today); fromCopy != test.fromCopy || day != test.day {
			t.Errorf("%s: from its copy %t, day %s, want %t, %s", name, fromCopy, day, test.fromCopy, test.day)
		}
	}
}
