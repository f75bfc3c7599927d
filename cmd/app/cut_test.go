package app_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// rowsOf counts the rows of a day's complete export, without the given number of last ones.
func (w *simulation) rowsOf(day schema.Day, without int) map[string]int {
	w.t.Helper()
	count := map[string]int{}
	records := w.api.Data.Export(exporttest.Query{Kind: schema.Event, From: day, To: day, Export: 100}).Records()
	for _, record := range records[:len(records)-without] {
		text, _ := json.Marshal(record)
		count[string(text)]++
	}
	return count
}

// exportLetters counts the dead letters of exports by day and message.
func (w *simulation) exportLetters() map[string]int {
	w.t.Helper()
	count := map[string]int{}
	for _, r := range w.records("dead") {
		var l schema.DeadLetter
		if err := json.Unmarshal(r.Value, &l); err != nil {
			w.t.Fatal(err)
		}
		if l.Kind == schema.KindExport {
			count[l.Day.String()+" "+l.Error.Message]++
		}
	}
	return count
}

func sum(counts ...map[string]int) map[string]int {
	all := map[string]int{}
	for _, count := range counts {
		for text, n := range count {
			all[text] += n
		}
	}
	return all
}

// TestCuts_Quota: the API never ends its last line. Today is exported at the pace of its polls
// and a finished day at that of its lookback, with growing pauses, so that few calls are made.
// All rows but the last one of each day are published, and each day has one dead letter, even
// after a restart.
func TestCuts_Quota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 5, RowsPerDay: 10}})
		w.config.Streams[0].PollInterval, w.config.Streams[0].LookbackInterval = 10*time.Minute, time.Hour
		w.api.Faults = func(exporttest.Call) *exporttest.Fault { return &exporttest.Fault{NoFinal: true} }
		today := w.today()
		w.run(6 * time.Hour)
		w.run(5 * time.Hour)

		calls := map[schema.Day]int{}
		for _, c := range w.api.Calls() {
			calls[c.Query.From]++
		}
		want := []map[string]int{}
		letters := map[string]int{}
		for day := today - 30; day <= today; day++ {
			most := 5 // at 0, 1, 3 and 7 hours, and possibly one after the restart
			if day == today {
				most = 9 // at 0, 10, 30 and 70 minutes and so on
			}
			if n := calls[day]; n < 3 || n > most {
				t.Errorf("%d calls for %s in 11 hours, want 3 to %d", n, day, most)
			}
			want = append(want, w.rowsOf(day, 1))
			letters[day.String()+" the last line has no newline"] = 1
		}
		if n := w.api.MostInAnHour(); n > 31+31+4 {
			t.Errorf("%d calls in an hour", n)
		}
		if diff := cmp.Diff(sum(want...), w.published()); diff != "" {
			t.Errorf("published (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(letters, w.exportLetters()); diff != "" {
			t.Errorf("dead letters (-want +got):\n%s", diff)
		}
	})
}

// TestCuts_MissingNewlineProven: today's polls prove that the API omits the last newline: each
// has the last line of the previous one, followed by another. Then the days that wait because
// of a cut are exported at once, and their last rows are published.
func TestCuts_MissingNewlineProven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 5, RowsPerDay: 500, Live: true}})
		w.config.Streams[0].PollInterval, w.config.Streams[0].LookbackInterval = 10*time.Minute, 6*time.Hour
		w.config.Streams[0].Start.Back = 5
		today := w.today()
		at := slices.Index(w.api.Data.Export(exporttest.Query{Kind: schema.Event, From: today, To: today}).Columns, "df_server_datetime")
		w.http = rewrite{w.http, func(body string) string { // in the order of arrival, without the last newline
			lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
			slices.SortStableFunc(lines[1:], func(a, b string) int { return strings.Compare(strings.Split(a, ",")[at], strings.Split(b, ",")[at]) })
			return strings.Join(lines, "\n")
		}}
		time.Sleep(2 * time.Hour)
		w.run(30 * time.Minute) // two proofs
		w.run(25 * time.Minute)
		if n := strings.Count(w.logged(), "the API omits the last newline"); n != 1 {
			t.Errorf("the log reports the missing newline %d times", n)
		}
		days := w.days()
		var want []map[string]int
		for day := today - 5; day < today; day++ {
			if d := days[day]; d.LastSuccess == nil || d.Error != nil {
				t.Errorf("%s: %+v", day, d)
			}
			want = append(want, w.rowsOf(day, 0))
		}
		published := w.published()
		all := sum(want...)
		maps.DeleteFunc(published, func(text string, _ int) bool { return all[text] == 0 }) // remove those of today
		if diff := cmp.Diff(all, published); diff != "" {
			t.Errorf("published (-want +got):\n%s", diff)
		}
	})
}

// TestCuts_LeaveReach: a day that is cut until it leaves the API's reach is settled but not
// final, and not a gap: its rows before the cut are published.
func TestCuts_LeaveReach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 5, RowsPerDay: 10}})
		cut := w.today() - 29
		w.api.Faults = func(c exporttest.Call) *exporttest.Fault {
			if c.Query.From != cut {
				return nil
			}
			return &exporttest.Fault{NoFinal: true}
		}
		w.config.Streams[0].PollInterval = 6 * time.Hour
		w.config.Publish.OwnerHeartbeat, w.config.Publish.StandbyAfter, w.config.Publish.FenceRenewal = 6*time.Hour, 18*time.Hour, 24*time.Hour // fewer requests
		w.run(20 * time.Hour)
		w.run(50 * time.Hour)
		var last time.Time
		for _, c := range w.api.Calls() {
			if c.Query.From == cut {
				last = c.At
			}
		}
		d := w.days()[cut]
		if d.State != ledger.Settled || d.Final || d.LastSuccess == nil || d.LastSuccess.Sub(last).Abs() > time.Second || d.Published != 9 {
			t.Errorf("the day ended as %+v, its last call began at %s", d, last)
		}
		if n := strings.Count(w.logged(), `level=ERROR msg="a day ended with its last answer cut`); n != 1 {
			t.Errorf("the log reports the day's end %d times", n)
		}
		if strings.Contains(w.logged(), "without ever having been exported") {
			t.Error("the log reports the day as a gap")
		}
	})
}

// TestCuts_OpenQuote: a quote that is not closed cuts the day there, with an error that names
// the variable. When the variable is set, the day is exported at once, and its rows after the
// quote are published.
func TestCuts_OpenQuote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 5, RowsPerDay: 10}})
		w.config.Streams[0].Start.Back = 3
		today := w.today()
		cut := today - 2
		w.api.Faults = func(c exporttest.Call) *exporttest.Fault {
			if c.Query.From != cut {
				return nil
			}
			return &exporttest.Fault{BadRows: []exporttest.BadRow{{After: 4, Kind: exporttest.OpenQuote}}}
		}
		good := []map[string]int{w.rowsOf(today-3, 0), w.rowsOf(today-1, 0), w.rowsOf(today, 0)}
		w.run(time.Hour)
		if diff := cmp.Diff(sum(append(good, w.rowsOf(cut, 6))...), w.published()); diff != "" {
			t.Errorf("published (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[schema.Code]int{schema.OpenQuote: 1}, w.letters()); diff != "" {
			t.Errorf("dead letters (-want +got):\n%s", diff)
		}
		if n := strings.Count(w.logged(), `level=ERROR msg="a finished day is cut`); n != 1 || !strings.Contains(w.logged(), "DFINERY_OPEN_QUOTE=recover") {
			t.Errorf("the log reports the day %d times", n)
		}
		w.config.DFINERY.OpenQuote = config.RecoverQuote
		w.run(10 * time.Minute)
		if diff := cmp.Diff(sum(append(good, w.rowsOf(cut, 0))...), w.published()); diff != "" {
			t.Errorf("published with recover (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[schema.Code]int{schema.OpenQuote: 1, schema.BadQuotes: 1}, w.letters()); diff != "" {
			t.Errorf("dead letters with recover (-want +got):\n%s", diff)
		}
		if d := w.days()[cut]; d.Error != nil || d.LastSuccess == nil {
			t.Errorf("the day is %+v", d)
		}
	})
}

// TestRepeatedHeader: a header line between rows is skipped, with one warning for each export.
func TestRepeatedHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 5, RowsPerDay: 10}})
		w.config.Streams[0].Start.Back = 1
		names := w.api.Data.Export(exporttest.Query{Kind: schema.Event, From: w.today(), To: w.today()}).Columns
		w.http = rewrite{w.http, func(body string) string {
			lines := strings.SplitAfter(body, "\n")
			return strings.Join(lines[:4], "") + strings.Join(names, ",") + "\n" + strings.Join(lines[4:7], "") + "\ufeff" + lines[0] + strings.Join(lines[7:], "")
		}}
		w.run(30 * time.Minute)
		if diff := cmp.Diff(sum(w.rowsOf(w.today()-1, 0), w.rowsOf(w.today(), 0)), w.published()); diff != "" {
			t.Errorf("published (-want +got):\n%s", diff)
		}
		if n := strings.Count(w.logged(), "repeats its header line"); n != len(w.api.Calls()) || !strings.Contains(w.logged(), "lines=2") {
			t.Errorf("%d warnings in %d exports", n, len(w.api.Calls()))
		}
		if letters := w.letters(); len(letters) != 0 {
			t.Errorf("dead letters %v", letters)
		}
	})
}
