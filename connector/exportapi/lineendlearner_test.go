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

// exportStep is an export with the API's answer and the expected result.
type exportStep struct {
	day  int
	body string
	rows []string
	code schema.Code // of the failure; empty: none
	bad  []schema.Code
}

// TestLineEndLearner: a last line without a newline counts as complete only after three
// exports have proven it: a later export had the last line of an earlier one, followed by
// another line. A longer line in its place disproves it permanently.
func TestLineEndLearner(t *testing.T) {
	torn := func(day int, body string, rows ...string) exportStep {
		return exportStep{day: day, body: body, rows: rows, code: schema.MaybeTorn}
	}
	good := func(day int, body string, rows ...string) exportStep {
		return exportStep{day: day, body: body, rows: rows}
	}
	// proof returns two exports, of which the second is a proof.
	proof := func(day int) []exportStep {
		return []exportStep{torn(day, "id,v\n1,2"), torn(day, "id,v\n1,2\n3,4", "1,2")}
	}
	proven := slices.Concat(proof(1), proof(2), []exportStep{torn(3, "id,v\n1,2"), good(3, "id,v\n1,2\n3,4", "1,2", "3,4")})
	for _, c := range []struct {
		name     string
		slice    bool
		steps    []exportStep
		mode     exportapi.FinalNewline
		proofs   int
		counter  bool
		believed bool
	}{
		{name: "torn without a proof", steps: []exportStep{torn(1, "id,v\n1,2"), torn(1, "id,v\n1,2"), torn(1, "id,v\n1,2")}},
		{name: "the same lines on many days", steps: []exportStep{
			torn(1, "id,v\n1,2"), torn(2, "id,v\n3,4"), torn(3, "id,v\n5,6"), torn(1, "id,v\n1,2"), torn(2, "id,v\n3,4"), torn(3, "id,v\n5,6"),
			torn(1, "id,v\n1,2"), torn(2, "id,v\n3,4"), torn(3, "id,v\n5,6")}},
		{name: "headers on many days", steps: []exportStep{torn(1, "id,v"), torn(1, "id,v"), torn(2, "id,v"), torn(2, "id,v"), torn(3, "id,v"), torn(3, "id,v")}},
		{name: "one proof", proofs: 1, steps: proof(1)},
		{name: "two proofs", proofs: 2, steps: slices.Concat(proof(1), proof(2))},
		{name: "three proofs", proofs: 3, believed: true, steps: slices.Concat(proven, []exportStep{good(4, "id,v\n5,6", "5,6")})},
		{name: "three proofs of one day", proofs: 3, believed: true, steps: []exportStep{
			torn(1, "id,v\n1,2"), torn(1, "id,v\n1,2\n3,4", "1,2"), torn(1, "id,v\n1,2\n3,4\n5,6", "1,2", "3,4"),
			good(1, "id,v\n1,2\n3,4\n5,6\n7,8", "1,2", "3,4", "5,6", "7,8")}},
		{name: "followed in another order", proofs: 1, steps: []exportStep{
			torn(1, "id,v\n0,0\n1,2", "0,0"), good(1, "id,v\n1,2\n0,0\n3,4\n", "1,2", "0,0", "3,4")}},
		{name: "followed by a bad row", proofs: 1, steps: []exportStep{
			torn(1, "id,v\n1,2"), {day: 1, body: "id,v\n1,2\n3\n5,6", rows: []string{"1,2"}, bad: []schema.Code{schema.FieldCount}, code: schema.MaybeTorn}}},
		{name: "a header followed by rows", proofs: 1, steps: []exportStep{torn(1, "id,v"), torn(1, "id,v\n1,2")}},
		{name: "last again, with a newline", steps: []exportStep{torn(1, "id,v\n1,2"), good(1, "id,v\n1,2\n", "1,2")}},
		{name: "followed on another day", steps: []exportStep{torn(1, "id,v\n1,2"), good(2, "id,v\n1,2\n3,4\n", "1,2", "3,4")}},
		{name: "the line is missing later", steps: []exportStep{torn(1, "id,v\n1,2"), torn(1, "id,v\n1,3\n3,4", "1,3")}},
		{name: "a last line with a newline in between", steps: []exportStep{
			torn(1, "id,v\n1,2"), good(1, "id,v\n1,3\n", "1,3"), good(1, "id,v\n1,2\n3,4\n", "1,2", "3,4")}},
		{name: "longer in its place", counter: true, steps: []exportStep{torn(1, "id,v\n1,2"), torn(1, "id,v\n1,20\n3,4", "1,20")}},
		{name: "longer in its place, as a bad row", counter: true, steps: []exportStep{
			torn(1, "id,v\n1,2"), {day: 1, body: "id,v\n1,2,3\n3,4\n", rows: []string{"3,4"}, bad: []schema.Code{schema.FieldCount}}}},
		{name: "longer in its place, last again", counter: true, steps: []exportStep{torn(1, "id,v\n1,2"), torn(1, "id,v\n1,20")}},
		{name: "longer in its place, then cut", counter: true, steps: []exportStep{torn(1, "id,v\n1,2"), torn(1, "id,v\n1,20\n3", "1,20")}},
		{name: "longer in its place, and unchanged elsewhere", counter: true, steps: []exportStep{
			torn(1, "id,v\n0,0\n1,2", "0,0"), good(1, "id,v\n1,2\n1,20\n", "1,2", "1,20")}},
		{name: "longer elsewhere, and the line is missing", counter: true, steps: []exportStep{
			torn(1, "id,v\n0,0\n1,2", "0,0"), good(1, "id,v\n1,20\n0,0\n", "1,20", "0,0")}},
		{name: "longer elsewhere, and the line is unchanged", proofs: 1, steps: []exportStep{
			torn(1, "id,v\n1,2"), good(1, "id,v\n1,2\n1,20\n", "1,2", "1,20")}},
		{name: "longer elsewhere in an export that is cut", steps: []exportStep{
			torn(1, "id,v\n0,0\n1,2", "0,0"), torn(1, "id,v\n1,20\n0", "1,20")}},
		{name: "a longer header", counter: true, steps: []exportStep{torn(1, "id,v"), good(1, "id,v2\n1,2\n", "1,2")}},
		{name: "no proofs after a counter-example", counter: true, steps: slices.Concat(
			[]exportStep{torn(1, "id,v\n1,2"), good(1, "id,v\n1,20\n", "1,20")}, proof(2), proof(3), proof(4), []exportStep{torn(5, "id,v\n1,2")})},
		{name: "a counter-example after three proofs", proofs: 3, counter: true, steps: slices.Concat(proven, []exportStep{
			good(4, "id,v\n5,6", "5,6"), torn(4, "id,v\n5,60\n7,8", "5,60"), torn(5, "id,v\n9,9")})},
		{name: "a text that is not a header", steps: []exportStep{torn(1, "busy"), torn(1, "busy"), torn(2, "busy"), torn(2, "busy")}},
		{name: "one column, elsewhere", steps: []exportStep{torn(1, "id\n7\n12", "7"), good(1, "id\n12\n7\n123\n", "12", "7", "123")}},
		{name: "one column, in its place", proofs: 1, steps: []exportStep{torn(1, "id\n7\n12", "7"), good(1, "id\n7\n12\n13\n", "7", "12", "13")}},
		{name: "one column, longer in its place", counter: true, steps: []exportStep{torn(1, "id\n7\n12", "7"), good(1, "id\n7\n123\n", "7", "123")}},
		{name: "slices of a day are separate", slice: true, steps: proof(1)},
		{name: "torn all the same", proofs: 3, believed: true, steps: slices.Concat(proven, []exportStep{
			torn(8, "id,v\n1,2\n3", "1,2"),
			{day: 8, body: "id,v\n1,2\n3,\"4", rows: []string{"1,2"}, code: schema.OpenQuote},
			torn(8, "id,v\n1,2\n3,\xe6\xbc", "1,2"),
			torn(8, "i"),
			torn(8, "id,v\n1,2\na text\n", "1,2"),
			{day: 8, body: "id,v\n1,2\n3,4,5", rows: []string{"1,2"}, bad: []schema.Code{schema.FieldCount}},
			{day: 9, body: "id,v\n1,2\n3,\xff4", rows: []string{"1,2"}, bad: []schema.Code{schema.InvalidUTF8}},
			{day: 10, body: "id,v\n1,2\n3,4\"", rows: []string{"1,2"}, bad: []schema.Code{schema.BadQuotes}}})},
		{name: "optional", mode: exportapi.NewlineOptional, believed: true, steps: []exportStep{
			good(1, "id,v\n1,2", "1,2"), good(1, "id,v\n1,20\n3,4", "1,20", "3,4"), torn(1, "id,v\n1,2\n3", "1,2")}},
		{name: "required", mode: exportapi.NewlineRequired, steps: slices.Concat(proof(1), proof(2), proof(3), proof(4))},
	} {
		t.Run(c.name, func(t *testing.T) {
			var body string
			url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, body) }))
			learner := &exportapi.LineEndLearner{Mode: c.mode}
			var learned struct {
				Proofs  []map[string]any
				Counter map[string]any `json:"counter_example"`
			}
			for i, exportStep := range c.steps {
				body = exportStep.body
				api := client(url)
				api.LineEnds = learner
				e := export(t)
				e.Day, e.N = e.Day+schema.Day(exportStep.day), i+1
				if c.slice {
					e.Slice, e.Filter.Events = true, []string{string(rune('a' + i))}
				}
				got := run(t, api, e)
				var code schema.Code
				if got.Failure != nil {
					code = got.Failure.Code
				}
				want := outcome{Columns: got.Columns, Rows: exportStep.rows, Bad: exportStep.bad, Failure: got.Failure}
				if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b *schema.Failure) bool { return a == b })); diff != "" || code != exportStep.code {
					t.Errorf("export %d: ended with %q, want %q; %s", i+1, code, exportStep.code, diff)
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

// TestLineEndLearnerBounded: the number of remembered line ends is limited.
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
