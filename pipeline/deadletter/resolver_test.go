package deadletter

import (
	"testing"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// hashOf returns a bad row's hash as in the header "id" of its letter.
func hashOf(raw string, copyNumber int) string {
	return string(schema.AppendID(nil, schema.BadFingerprint([]byte(raw)), copyNumber))
}

// TestExportResolution: a later success resolves the letter of a call, unless the day still lacks
// what the call requested.
func TestExportResolution(t *testing.T) {
	failed := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	before, after := failed.Add(-time.Hour), failed.Add(time.Hour)
	for name, test := range map[string]struct {
		day    ledger.Day
		events []string
		want   Resolution
	}{
		"never exported":               {day: ledger.Day{}, want: Open},
		"exported before":              {day: ledger.Day{LastSuccess: &before}, want: Open},
		"exported since":               {day: ledger.Day{LastSuccess: &after}, want: Resolved},
		"exported without an event":    {day: ledger.Day{LastSuccess: &after, MissingEvents: []string{"b"}}, events: []string{"a", "b"}, want: Open},
		"exported without another":     {day: ledger.Day{LastSuccess: &after, MissingEvents: []string{"c"}}, events: []string{"a", "b"}, want: Resolved},
		"of a day in slices, exported": {day: ledger.Day{LastSuccess: &after}, events: []string{"a"}, want: Resolved},
	} {
		l := schema.DeadLetter{Kind: schema.KindExport, FailedAt: failed}
		l.Error.Events = test.events
		if got := exportResolution(&l, &test.day); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// TestRowIsGone: a row is gone if a later complete export had no bad row with its hash on any line.
func TestRowIsGone(t *testing.T) {
	list := &ledger.StillBad{Export: 5}
	for _, raw := range []string{"twice", "twice", "once"} {
		list.Add(schema.BadFingerprint([]byte(raw)))
	}
	for name, test := range map[string]struct {
		list   *ledger.StillBad
		id     string
		export int
		origin schema.Origin
		want   bool
	}{
		"no list":                           {nil, hashOf("once", 0), 4, schema.OriginCSV, false},
		"still there":                       {list, hashOf("once", 0), 4, schema.OriginCSV, false},
		"not there any more":                {list, hashOf("gone", 0), 4, schema.OriginCSV, true},
		"of that export":                    {list, hashOf("gone", 0), 5, schema.OriginCSV, false},
		"of a later export":                 {list, hashOf("gone", 0), 6, schema.OriginCSV, false},
		"the second of two":                 {list, hashOf("twice", 1), 4, schema.OriginCSV, false},
		"the third of two":                  {list, hashOf("twice", 2), 4, schema.OriginCSV, true},
		"a copy that Kafka refuses, of two": {list, hashOf("twice", 2), 4, schema.OriginKafka, false},
		"no id":                             {list, "", 4, schema.OriginCSV, false},
		"no row is bad any more":            {&ledger.StillBad{Export: 5}, hashOf("once", 0), 1, schema.OriginSchema, true},
	} {
		l := &Letter{ID: test.id, DeadLetter: schema.DeadLetter{Kind: schema.KindRow, Export: test.export}}
		l.Error.Origin = test.origin
		if got := rowIsGone(l, &ledger.Day{StillBad: test.list}); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// TestUnpublished: whether a row was published is unknown if its letter is older than the day's
// fingerprints, or these were lost.
func TestUnpublished(t *testing.T) {
	for name, test := range map[string]struct {
		export, from int
		lost         bool
		want         Resolution
	}{
		"of this generation":    {3, 2, false, Open},
		"of a former one":       {1, 2, false, Unknown},
		"fingerprints are gone": {3, 0, true, Unknown},
	} {
		l := &Letter{DeadLetter: schema.DeadLetter{Kind: schema.KindRow, Export: test.export}}
		if got := unpublished(l, &ledger.Day{From: test.from}, test.lost); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// TestResolver_Snapshots: the letter of a call for profiles is resolved by a later day's snapshot,
// that of a call for events is not.
func TestResolver_Snapshots(t *testing.T) {
	failed := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	before, after := failed.Add(-time.Hour), failed.Add(24*time.Hour)
	const day = schema.Day(20_000)
	r := &Resolver{days: map[ledger.DayName]ledger.Day{
		{Stream: "users", Day: day}:          {},
		{Stream: "users", Day: day + 1}:      {LastSuccess: &after},
		{Stream: "users", Day: day + 2}:      {},
		{Stream: "users", Day: day - 1}:      {LastSuccess: &before},
		{Stream: "others", Day: day + 3}:     {LastSuccess: &after},
		{Stream: "others", Day: day + 4}:     {},
		{Stream: "customers", Day: day}:      {},
		{Stream: "customers", Day: day - 1}:  {LastSuccess: &after},
		{Stream: "customers2", Day: day + 1}: {LastSuccess: &after},
	}}
	for _, test := range []struct {
		stream, kind string
		day          schema.Day
		want         Resolution
	}{
		{"users", "userprofile", day, Resolved},
		{"users", "event", day, Open},
		{"users", "userprofile", day + 2, Open},
		{"others", "userprofile", day + 4, Open},
		{"customers", "userprofile", day, Open},
	} {
		l := &Letter{DeadLetter: schema.DeadLetter{Kind: schema.KindExport, Stream: test.stream, Day: test.day, FailedAt: failed}}
		l.Request.URL = "https://openapi.dfinery.ai/api/v1/export/" + test.kind + "?service_id=1234"
		if got, err := r.Resolution(t.Context(), l); err != nil || got != test.want {
			t.Errorf("%s %s of %s: %s, %v; want %s", test.stream, test.kind, test.day, got, err, test.want)
		}
	}
}
