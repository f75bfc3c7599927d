package transfer

import (
	"errors"
	"testing"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/schema"
)

// newLetters returns the letters of an export of whose rows at most share may be bad, written to p.
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

// TestLetters_HeldBack: letters of bad rows are held back until it is known whether too many
// rows of the export are bad. If so, they are not written.
func TestLetters_HeldBack(t *testing.T) {
	for name, test := range map[string]struct {
		bad     int // among the first rows
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
				t.Fatalf("%s: a letter is written at row %d, which is too early", name, i)
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

// TestLetters_Again: each of identical bad rows has one letter, even if the day is exported again.
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
