package connector_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector"
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

func TestLineEndLearner(t *testing.T) {
	for _, c := range []struct {
		name  string
		slice bool
		tries []try
		whole bool
	}{
		{name: "torn until shown otherwise", tries: []try{
			{day: 1, body: "id,v\n1,2", code: schema.MaybeTorn},
			{day: 1, body: "id,v\n1,2", code: schema.MaybeTorn},
			{day: 1, body: "id,v\n1,2", code: schema.MaybeTorn}}},
		{name: "followed by another line later", whole: true, tries: []try{
			{day: 1, body: "id,v\n1,2", code: schema.MaybeTorn},
			{day: 1, body: "id,v\n1,2\n3,4", rows: []string{"1,2", "3,4"}},
			{day: 2, body: "id,v\n5,6", rows: []string{"5,6"}}}},
		{name: "followed in another order", whole: true, tries: []try{
			{day: 1, body: "id,v\n0,0\n1,2", rows: []string{"0,0"}, code: schema.MaybeTorn},
			{day: 1, body: "id,v\n1,2\n0,0\n3,4\n", rows: []string{"1,2", "0,0", "3,4"}}}},
		{name: "followed by a bad row", whole: true, tries: []try{
			{day: 1, body: "id,v\n1,2", code: schema.MaybeTorn},
			{day: 1, body: "id,v\n1,2\n3\n5,6", rows: []string{"1,2", "5,6"}, bad: []schema.Code{schema.FieldCount}}}},
		{name: "last again, with a newline", tries: []try{
			{day: 1, body: "id,v\n1,2", code: schema.MaybeTorn},
			{day: 1, body: "id,v\n1,2\n", rows: []string{"1,2"}}}},
		{name: "followed on another day", tries: []try{
			{day: 1, body: "id,v\n1,2", code: schema.MaybeTorn},
			{day: 2, body: "id,v\n1,2\n3,4\n", rows: []string{"1,2", "3,4"}}}},
		{name: "a newline between forgets", tries: []try{
			{day: 1, body: "id,v\n1,2", code: schema.MaybeTorn},
			{day: 1, body: "id,v\n1,20\n", rows: []string{"1,20"}},
			{day: 1, body: "id,v\n1,2\n3,4\n", rows: []string{"1,2", "3,4"}}}},
		{name: "another line later", tries: []try{
			{day: 1, body: "id,v\n1,2", code: schema.MaybeTorn},
			{day: 1, body: "id,v\n1,3\n3,4", rows: []string{"1,3"}, code: schema.MaybeTorn}}},
		{name: "twice on two days", whole: true, tries: []try{
			{day: 1, body: "id,v\n1,2", code: schema.MaybeTorn},
			{day: 2, body: "id,v\n3,4", code: schema.MaybeTorn},
			{day: 1, body: "id,v\n1,2", code: schema.MaybeTorn},
			{day: 2, body: "id,v\n3,4", rows: []string{"3,4"}}}},
		{name: "a header twice on two days", whole: true, tries: []try{
			{day: 1, body: "id,v", code: schema.MaybeTorn},
			{day: 1, body: "id,v", code: schema.MaybeTorn},
			{day: 2, body: "id,v", code: schema.MaybeTorn},
			{day: 2, body: "id,v"}}},
		{name: "a header followed by rows", whole: true, tries: []try{
			{day: 1, body: "id,v", code: schema.MaybeTorn},
			{day: 1, body: "id,v\n1,2", rows: []string{"1,2"}}}},
		{name: "what is no header teaches nothing", tries: []try{
			{day: 1, body: "busy", code: schema.MaybeTorn},
			{day: 1, body: "busy", code: schema.MaybeTorn},
			{day: 2, body: "busy", code: schema.MaybeTorn},
			{day: 2, body: "busy", code: schema.MaybeTorn}}},
		{name: "one column, elsewhere", tries: []try{
			{day: 1, body: "id\n7\n12", rows: []string{"7"}, code: schema.MaybeTorn},
			{day: 1, body: "id\n12\n123\n", rows: []string{"12", "123"}}}},
		{name: "one column, in its place", whole: true, tries: []try{
			{day: 1, body: "id\n7\n12", rows: []string{"7"}, code: schema.MaybeTorn},
			{day: 1, body: "id\n7\n12\n13\n", rows: []string{"7", "12", "13"}}}},
		{name: "slices end each on their own", slice: true, tries: []try{
			{day: 1, body: "id,v\n1,2", code: schema.MaybeTorn},
			{day: 1, body: "id,v\n1,2", code: schema.MaybeTorn}}},
		{name: "torn all the same", whole: true, tries: []try{
			{day: 1, body: "id,v\n1,2", code: schema.MaybeTorn},
			{day: 1, body: "id,v\n1,2\n3,4", rows: []string{"1,2", "3,4"}},
			{day: 1, body: "id,v\n1,2\n3", rows: []string{"1,2"}, code: schema.MaybeTorn},
			{day: 1, body: "id,v\n1,2\n3,\"4", rows: []string{"1,2"}, code: schema.MaybeTorn},
			{day: 1, body: "id,v\n1,2\n3,\xe6\xbc", rows: []string{"1,2"}, code: schema.MaybeTorn},
			{day: 1, body: "i", code: schema.MaybeTorn},
			{day: 1, body: "id,v\n1,2\n3,4,5", rows: []string{"1,2"}, bad: []schema.Code{schema.FieldCount}},
			{day: 1, body: "id,v\n1,2\n3,\xff4", rows: []string{"1,2"}, bad: []schema.Code{schema.InvalidUTF8}},
			{day: 1, body: "id,v\n1,2\n3,4\"", rows: []string{"1,2"}, bad: []schema.Code{schema.BadQuotes}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var body string
			url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, body) }))
			learner := new(connector.LineEndLearner)
			for i, try := range c.tries {
				body = try.body
				api := client(url)
				api.LineEnds = learner
				e := export(t)
				e.Day += schema.Day(try.day)
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
				learner = new(connector.LineEndLearner)
				if err := json.Unmarshal(saved, learner); err != nil {
					t.Fatal(err)
				}
			}
			if learner.Whole() != c.whole {
				t.Errorf("whole is %v", learner.Whole())
			}
		})
	}
}

// What is watched for stays little, whatever an API does.
func TestLineEndLearnerBounded(t *testing.T) {
	api := client(serve(t, answer(200, "", "id,v\n1,2")))
	api.LineEnds = new(connector.LineEndLearner)
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
