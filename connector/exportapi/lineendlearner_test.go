package exportapi_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/schema"
)

// try is one export, what the API answers, and what must come of it.
type try struct {
	day  int
	body string
	rows []string
	code schema.Code // of the failure; none when empty
	bad  []schema.Code
}

// A line without a newline counts as whole only once three exports have proven it: the line
// that ended an export came back whole and followed by another line. A longer line in its place
// ends that permanently.
func TestLineEndLearner(t *testing.T) {
	torn := func(day int, body string, rows ...string) try {
		return try{day: day, body: body, rows: rows, code: schema.MaybeTorn}
	}
	good := func(day int, body string, rows ...string) try { return try{day: day, body: body, rows: rows} }
	// proof is two exports, of which the second proves something.
	proof := func(day int) []try {
		return []try{torn(day, "id,v\n1,2"), torn(day, "id,v\n1,2\n3,4", "1,2")}
	}
	proven := slices.Concat(proof(1), proof(2), []try{torn(3, "id,v\n1,2"), good(3, "id,v\n1,2\n3,4", "1,2", "3,4")})
	for _, c := range []struct {
		name     string
		slice    bool
		tries    []try
		mode     exportapi.FinalNewline
		proofs   int
		counter  bool
		believed bool
	}{
		{name: "torn until shown otherwise", tries: []try{torn(1, "id,v\n1,2"), torn(1, "id,v\n1,2"), torn(1, "id,v\n1,2")}},
		{name: "the same lines on many days", tries: []try{
			torn(1, "id,v\n1,2"), torn(2, "id,v\n3,4"), torn(3, "id,v\n5,6"), torn(1, "id,v\n1,2"), torn(2, "id,v\n3,4"), torn(3, "id,v\n5,6"),
			torn(1, "id,v\n1,2"), torn(2, "id,v\n3,4"), torn(3, "id,v\n5,6")}},
		{name: "headers on many days", tries: []try{torn(1, "id,v"), torn(1, "id,v"), torn(2, "id,v"), torn(2, "id,v"), torn(3, "id,v"), torn(3, "id,v")}},
		{name: "one proof", proofs: 1, tries: proof(1)},
		{name: "two proofs", proofs: 2, tries: slices.Concat(proof(1), proof(2))},
		{name: "three proofs", proofs: 3, believed: true, tries: slices.Concat(proven, []try{good(4, "id,v\n5,6", "5,6")})},
		{name: "three proofs of one day", proofs: 3, believed: true, tries: []try{
			torn(1, "id,v\n1,2"), torn(1, "id,v\n1,2\n3,4", "1,2"), torn(1, "id,v\n1,2\n3,4\n5,6", "1,2", "3,4"),
			good(1, "id,v\n1,2\n3,4\n5,6\n7,8", "1,2", "3,4", "5,6", "7,8")}},
		{name: "followed in another order", proofs: 1, tries: []try{
			torn(1, "id,v\n0,0\n1,2", "0,0"), good(1, "id,v\n1,2\n0,0\n3,4\n", "1,2", "0,0", "3,4")}},
		{name: "followed by a bad row", proofs: 1, tries: []try{
			torn(1, "id,v\n1,2"), {day: 1, body: "id,v\n1,2\n3\n5,6", rows: []string{"1,2"}, bad: []schema.Code{schema.FieldCount}, code: schema.MaybeTorn}}},
		{name: "a header followed by rows", proofs: 1, tries: []try{torn(1, "id,v"), torn(1, "id,v\n1,2")}},
		{name: "last again, with a newline", tries: []try{torn(1, "id,v\n1,2"), good(1, "id,v\n1,2\n", "1,2")}},
		{name: "followed on another day", tries: []try{torn(1, "id,v\n1,2"), good(2, "id,v\n1,2\n3,4\n", "1,2", "3,4")}},
		{name: "gone", tries: []try{torn(1, "id,v\n1,2"), torn(1, "id,v\n1,3\n3,4", "1,3")}},
		{name: "a newline between forgets", tries: []try{
			torn(1, "id,v\n1,2"), good(1, "id,v\n1,3\n", "1,3"), good(1, "id,v\n1,2\n3,4\n", "1,2", "3,4")}},
		{name: "longer in its place", counter: true, tries: []try{torn(1, "id,v\n1,2"), torn(1, "id,v\n1,20\n3,4", "1,20")}},
		{name: "longer in its place, as a bad row", counter: true, tries: []try{
			torn(1, "id,v\n1,2"), {day: 1, body: "id,v\n1,2,3\n3,4\n", rows: []string{"3,4"}, bad: []schema.Code{schema.FieldCount}}}},
		{name: "longer in its place, last again", counter: true, tries: []try{torn(1, "id,v\n1,2"), torn(1, "id,v\n1,20")}},
		{name: "longer in its place, then cut", counter: true, tries: []try{torn(1, "id,v\n1,2"), torn(1, "id,v\n1,20\n3", "1,20")}},
		{name: "longer in its place though the same stands elsewhere", counter: true, tries: []try{
			torn(1, "id,v\n0,0\n1,2", "0,0"), good(1, "id,v\n1,2\n1,20\n", "1,2", "1,20")}},
		{name: "longer elsewhere, and the line is gone", counter: true, tries: []try{
			torn(1, "id,v\n0,0\n1,2", "0,0"), good(1, "id,v\n1,20\n0,0\n", "1,20", "0,0")}},
		{name: "longer elsewhere, and the line is there", proofs: 1, tries: []try{
			torn(1, "id,v\n1,2"), good(1, "id,v\n1,2\n1,20\n", "1,2", "1,20")}},
		{name: "longer elsewhere in an export that is cut", tries: []try{
			torn(1, "id,v\n0,0\n1,2", "0,0"), torn(1, "id,v\n1,20\n0", "1,20")}},
		{name: "a longer header", counter: true, tries: []try{torn(1, "id,v"), good(1, "id,v2\n1,2\n", "1,2")}},
		{name: "nothing is learned behind a counter-example", counter: true, tries: slices.Concat(
			[]try{torn(1, "id,v\n1,2"), good(1, "id,v\n1,20\n", "1,20")}, proof(2), proof(3), proof(4), []try{torn(5, "id,v\n1,2")})},
		{name: "a counter-example ends what is proven", proofs: 3, counter: true, tries: slices.Concat(proven, []try{
			good(4, "id,v\n5,6", "5,6"), torn(4, "id,v\n5,60\n7,8", "5,60"), torn(5, "id,v\n9,9")})},
		{name: "what is no header teaches nothing", tries: []try{torn(1, "busy"), torn(1, "busy"), torn(2, "busy"), torn(2, "busy")}},
		{name: "one column, elsewhere", tries: []try{torn(1, "id\n7\n12", "7"), good(1, "id\n12\n7\n123\n", "12", "7", "123")}},
		{name: "one column, in its place", proofs: 1, tries: []try{torn(1, "id\n7\n12", "7"), good(1, "id\n7\n12\n13\n", "7", "12", "13")}},
		{name: "one column, longer in its place", counter: true, tries: []try{torn(1, "id\n7\n12", "7"), good(1, "id\n7\n123\n", "7", "123")}},
		{name: "slices end each on their own", slice: true, tries: proof(1)},
		{name: "torn all the same", proofs: 3, believed: true, tries: slices.Concat(proven, []try{
			torn(8, "id,v\n1,2\n3", "1,2"),
			{day: 8, body: "id,v\n1,2\n3,\"4", rows: []string{"1,2"}, code: schema.OpenQuote},
			torn(8, "id,v\n1,2\n3,\xe6\xbc", "1,2"),
			torn(8, "i"),
			torn(8, "id,v\n1,2\na text\n", "1,2"),
			{day: 8, body: "id,v\n1,2\n3,4,5", rows: []string{"1,2"}, bad: []schema.Code{schema.FieldCount}},
			{day: 9, body: "id,v\n1,2\n3,\xff4", rows: []string{"1,2"}, bad: []schema.Code{schema.InvalidUTF8}},
			{day: 10, body: "id,v\n1,2\n3,4\"", rows: []string{"1,2"}, bad: []schema.Code{schema.BadQuotes}}})},
		{name: "optional", mode: exportapi.NewlineOptional, believed: true, tries: []try{
			good(1, "id,v\n1,2", "1,2"), good(1, "id,v\n1,20\n3,4", "1,20", "3,4"), torn(1, "id,v\n1,2\n3", "1,2")}},
		{name: "required", mode: exportapi.NewlineRequired, tries: slices.Concat(proof(1), proof(2), proof(3), proof(4))},
	} {
		t.Run(c.name, func(t *testing.T) {
			var body string
			url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, body) }))
			learner := &exportapi.LineEndLearner{Mode: c.mode}
			var learned struct {
				Proofs  []map[string]any
				Counter map[string]any `json:"counter_example"`
			}
			for i, try := range c.tries {
				body = try.body
				api := client(url)
				api.LineEnds = learner
				e := export(t)
				e.Day, e.N = e.Day+schema.Day(try.day), i+1
				if c.slice {
					e.Slice, e.Filter.Events = true, []string{string(rune('a' + i))}
				}
				got := run(t, api, e)
				var code schema.Code
				if got.Failure != nil {
					code = got.Failure.Code
				}
				want := outcome{Columns: got.Columns, Rows: try.rows, Bad: try.bad, Failure: got.Failure}
				if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b *schema.Failure) bool { return a == b })); diff != "" || code != try.code {
					t.Errorf("try %d: ended with %q, want %q; %s", i+1, code, try.code, diff)
				}
				saved, err := json.Marshal(learner)
				if err != nil {
					t.Fatal(err)
				}
				learned.Proofs, learned.Counter = nil, nil
				learner = &exportapi.LineEndLearner{Mode: c.mode}
				if err := errors.Join(json.Unmarshal(saved, learner), json.Unmarshal(saved, &learned)); err != nil {
					t.Fatal(err)
				}
			}
			if len(learned.Proofs) != c.proofs || learned.Counter != nil != c.counter || learner.Believed() != c.believed {
				t.Errorf("believed %v, proofs %v, counter-example %v; want %v, %d, %v", learner.Believed(), learned.Proofs, learned.Counter, c.believed, c.proofs, c.counter)
			}
		})
	}
}

// What is watched for stays little, whatever an API does.
func TestLineEndLearnerBounded(t *testing.T) {
	api := client(serve(t, answer(200, "", "id,v\n1,2")))
	api.LineEnds = new(exportapi.LineEndLearner)
	e := export(t)
	for range 600 {
		e.Day++
		run(t, api, e)
	}
	saved, err := json.Marshal(api.LineEnds)
	if err != nil {
		t.Fatal(err)
	}
	var ends struct{ Ends map[string]any }
	if err := json.Unmarshal(saved, &ends); err != nil || len(ends.Ends) > 256 || ends.Ends["events/"+e.Day.String()] == nil {
		t.Errorf("%d ends in %d bytes, %v", len(ends.Ends), len(saved), err)
	}
}
