package transfer

import (
	"errors"
	"testing"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/schema"
)

// newLetters writes to p, of an export of which at most share of the rows may be bad.
func newLetters(p *partition, share float64) *letters {
	return &letters{
		runner: &shared{Config: Config{Redact: func(text []byte) []byte { return text }, Wrote: func(*schema.DeadLetter) {}}},
		call:   &schema.Export{Service: "1234", Stream: "events", N: 1}, out: p, rows: &dedup.Day{Set: new(dedup.Set)}, sum: new(Tally),
		quality: badRows{share: share, limited: share < 1},
	}
}

func badRow(text string) *schema.BadRow {
	return &schema.BadRow{Code: schema.FieldCount, Raw: []byte(text), Hash: schema.BadFingerprint([]byte(text))}
}

// TestLetters_HeldBack: bad rows wait until the export can be judged, and have no
// letter of their own if too many are bad.
func TestLetters_HeldBack(t *testing.T) {
	for name, test := range map[string]struct {
		bad     int // of the first rows
		share   float64
		letters int
		refused bool
	}{
		"few":      {10, 0.5, 10, false},
		"too many": {600, 0.5, 0, true},
		"no limit": {600, 1, 600, false},
	} {
		p := new(partition)
		l := newLetters(p, test.share)
		var err error
		for i := 0; i < judgedFrom && err == nil; i++ {
			var bad *schema.BadRow
			if i < test.bad {
				bad = badRow(string(rune('a' + i)))
			}
			before := p.n
			err = l.take(bad, new(answer), 0)
			if held := test.share < 1 && i < judgedFrom-1; held && p.n > before {
				t.Fatalf("%s: a letter is written for row %d, before the export can be judged", name, i)
			}
		}
		failure, refused := errors.AsType[*schema.Failure](err)
		if refused != test.refused || p.n != test.letters || l.sum.NewBad != test.letters {
			t.Errorf("%s: %d letters, counted %d, want %d; %v", name, p.n, l.sum.NewBad, test.letters, err)
		}
		if refused && (failure.Code != schema.BadRows || len(failure.Examples) != mostExamples) {
			t.Errorf("%s: %s with %d examples", name, failure.Code, len(failure.Examples))
		}
	}
}

// TestLetters_Again: each of identical bad rows has one letter, also when the day is
// exported again.
func TestLetters_Again(t *testing.T) {
	p := new(partition)
	l := newLetters(p, 1)
	for export, want := range []int{2, 2, 3} {
		l.rows.Set.Begin()
		l.sum = new(Tally)
		rows := 2 + export/2
		for range rows {
			if err := l.take(badRow("x"), new(answer), 0); err != nil {
				t.Fatal(err)
			}
		}
		if p.n != want || l.sum.Bad != rows {
			t.Errorf("export %d: %d letters, want %d; %d bad rows, want %d", export, p.n, want, l.sum.Bad, rows)
		}
	}
}
