package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// answerWith replaces the API by a server that answers the n-th call of a day, counted from 1,
// with the CSV that body returns.
func (b *testbed) answerWith(body func(day string, n int) string) {
	var mu sync.Mutex
	calls := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Day string `json:"from_date"`
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		mu.Lock()
		calls[asked.Day]++
		n := calls[asked.Day]
		mu.Unlock()
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		io.WriteString(w, body(asked.Day, n))
	}))
	b.t.Cleanup(server.Close)
	b.set("DFINERY_BASE_URL", server.URL, "STREAM_EVENTS_START", "1")
}

// lettersByDay counts the dead letters by day, kind, code and message.
func (b *testbed) lettersByDay() map[string]int {
	count := map[string]int{}
	for _, l := range b.deadLetters() {
		count[fmt.Sprintf("%s %s %s: %s, %d rows", l.Day, l.Kind, l.Error.Code, l.Error.Message, l.Request.Rows)]++
	}
	return count
}

// anyOrder compares multisets of rows.
var anyOrder = cmp.Options{cmpopts.EquateEmpty(), cmpopts.SortSlices(func(a, b row) bool { return a < b })}

// endsHeader is the header of the bodies below. The keys of their rows contain the day.
const endsHeader = "df_unified_id,event_name,memo\n"

// TestEnds exports answers that are complete by HTTP, but some of which are cut by their
// content. It compares the published rows and the dead letters: no torn row is published, and
// a complete answer is published once.
func TestEnds(t *testing.T) {
	t.Parallel()
	plain := func(day string) string { return "a" + day + ",open,one\nb" + day + ",open,two\n" }
	lines := func(day string) string {
		return "c" + day + ",open,\"dear all,\nfake" + day + ",purchase,1000000\nsee you\"\n"
	}
	rows := func(days ...string) (list []map[string]string) {
		for _, day := range days {
			list = append(list, map[string]string{"df_unified_id": "a" + day, "event_name": "open", "memo": "one"},
				map[string]string{"df_unified_id": "b" + day, "event_name": "open", "memo": "two"})
		}
		return list
	}
	withLines := func(days ...string) []map[string]string {
		list := rows(days...)
		for _, day := range days {
			list = append(list, map[string]string{"df_unified_id": "c" + day, "event_name": "open", "memo": "dear all,\nfake" + day + ",purchase,1000000\nsee you"})
		}
		return list
	}
	today, yesterday := currentDay().String(), (currentDay() - 1).String()
	for name, test := range map[string]struct {
		body   func(day string, n int) string
		code   int
		rows   []map[string]string
		letter string // of each day; empty: none
		says   string
	}{
		"cut within a quoted cell, twice": {
			body: func(day string, n int) string {
				if n > 2 {
					return endsHeader + plain(day) + lines(day)
				}
				return endsHeader + plain(day) + strings.TrimSuffix(lines(day), "see you\"\n")
			},
			rows: withLines(today, yesterday), letter: "open_quote: a quote is not closed, 2 rows", says: "DFINERY_OPEN_QUOTE=recover",
		},
		"cut within a quoted cell for good": {
			body: func(day string, _ int) string {
				return endsHeader + plain(day) + strings.TrimSuffix(lines(day), "see you\"\n")
			},
			code: 3, rows: rows(today, yesterday), letter: "open_quote: a quote is not closed, 2 rows", says: "DFINERY_OPEN_QUOTE=recover",
		},
		"a text behind the rows": {
			body: func(day string, _ int) string {
				return endsHeader + plain(day) + "Code: 999. Exception: the query was ended for its memory\n"
			},
			code: 3, rows: rows(today, yesterday), letter: "maybe_torn: the last line has too few fields, 2 rows", says: "other text follows its rows",
		},
		"always cut in the same place": {
			body: func(day string, _ int) string { return endsHeader + plain(day) + "c" + day + ",open,thr" },
			code: 3, rows: rows(today, yesterday), letter: "maybe_torn: the last line has no newline, 2 rows", says: "DFINERY_FINAL_NEWLINE=optional",
		},
		"lines that end in CR": {
			body: func(day string, _ int) string { return strings.ReplaceAll(endsHeader+plain(day), "\n", "\r") },
			code: 3, letter: "bad_header: the header line ends in CR alone; lines must end in LF or CRLF, 0 rows", says: "CR alone",
		},
		"lines that end in CR CR LF": {
			body: func(day string, _ int) string { return strings.ReplaceAll(endsHeader+plain(day), "\n", "\r\r\n") },
			code: 3, letter: "bad_header: the header line ends in CR CR LF; lines must end in LF or CRLF, 0 rows", says: "CR CR LF",
		},
		"the header between the rows": {
			body: func(day string, _ int) string {
				row, rest, _ := strings.Cut(plain(day), "\n")
				return "\ufeff" + endsHeader + row + "\n\ufeff" + endsHeader + rest
			},
			rows: rows(today, yesterday), says: "repeats its header line",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newTestbed(t, new(exporttest.Server))
			b.answerWith(test.body)
			log := b.runOnce(test.code)
			log += b.runOnce(test.code) // a new process uses what the ledger has recorded
			expectText(t, log, test.says)
			if diff := cmp.Diff(newRows(test.rows...), b.published("events"), anyOrder); diff != "" {
				t.Errorf("published (-want +got):\n%s", diff)
			}
			letters := map[string]int{}
			if test.letter != "" {
				letters[today+" export "+test.letter], letters[yesterday+" export "+test.letter] = 1, 1
			}
			if diff := cmp.Diff(letters, b.lettersByDay()); diff != "" {
				t.Errorf("dead letters (-want +got):\n%s", diff)
			}
		})
	}
}

// TestEnds_Recover exports an answer with a quote that is not closed: it counts as cut, and
// status and metrics name the day. After the variable for unescaped quotes is set, the next
// start publishes the rows after the quote at once.
func TestEnds_Recover(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, new(exporttest.Server))
	b.answerWith(func(day string, _ int) string {
		return endsHeader + "a" + day + ",open,one\nb" + day + ",open,\"4 inches\nc" + day + ",open,three\n"
	})
	today, yesterday := currentDay().String(), (currentDay() - 1).String()
	b.withAdminServer()
	p := b.start("run")
	p.await(isOwner)
	b.await("both days are cut", func() bool { return len(b.deadLetters()) == 2 })
	admin := p.admin()
	b.await("the metric", func() bool {
		_, metrics := admin.get("/metrics")
		return strings.Contains(metrics, `dfinery_cut_exports{cut="unclosed_cell",stream="events"} 1`+"\n")
	})
	p.signal(syscall.SIGTERM)
	p.expectExit(0)
	b.command([]string{yesterday + " end within a quote that is never closed", "DFINERY_OPEN_QUOTE=recover"}, "status")

	b.set("DFINERY_OPEN_QUOTE", "recover")
	b.runOnce(0)
	var want []map[string]string
	for _, day := range []string{today, yesterday} {
		want = append(want, map[string]string{"df_unified_id": "a" + day, "event_name": "open", "memo": "one"},
			map[string]string{"df_unified_id": "c" + day, "event_name": "open", "memo": "three"})
	}
	if diff := cmp.Diff(newRows(want...), b.published("events"), anyOrder); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[schema.Code]int{schema.OpenQuote: 2, schema.BadQuotes: 2}, b.deadLettersByCode()); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
	if out, _ := b.run("status"); strings.Contains(out, "never closed") {
		t.Errorf("status still reports the day as cut:\n%s", out)
	}
}

// TestRelease_Month publishes a month of unusual but valid answers with the previous release,
// then with this one, then with the previous one again: no row is published twice.
func TestRelease_Month(t *testing.T) {
	t.Parallel()
	for name, format := range map[string]exporttest.Format{"LF": {}, "BOM and CRLF": {BOM: true, CRLF: true}, "all quoted": {QuoteAll: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Format: format,
				Data: exporttest.Data{Seed: 91, RowsPerDay: 50, Odd: 0.4, Duplicates: 0.1}})
			b.unlimited()
			b.set("STREAM_EVENTS_START", "30")
			b.pollEvery("100ms")
			former := programBefore(t)
			first, last := (currentDay() - 30).String(), currentDay().String()
			for _, program := range []string{former, binary, former} {
				b.program = program
				b.run("backfill", "events", "--from", first, "--to", last, "--yes")
				expectNoLoss(t, b.runOnce(0))
				b.compareEvents()
			}
			if letters := b.deadLettersByCode(); len(letters) != 0 {
				t.Errorf("dead letters %v", letters)
			}
		})
	}
}

// TestRelease_LineEnds: each answer is cut at the same place, from which the previous release
// has concluded that the API omits the last newline. This release does not use that
// conclusion: it publishes no further torn row, and start, check and status name the variable.
// The state of the previous release stays in the ledger.
func TestRelease_LineEnds(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, new(exporttest.Server))
	cut := "thr"
	b.answerWith(func(day string, _ int) string { return endsHeader + "a" + day + ",open,one\nb" + day + ",open," + cut })
	b.pollEvery("20ms") // shorter than a start
	b.unlimited()
	b.program = programBefore(t)
	b.run("run", "--once")
	for tries := 0; len(b.published("events")) < 4 && tries < 10; tries++ { // until torn rows of two days are published
		b.run("run", "--once")
	}
	before := b.published("events")

	b.program, cut = binary, "three words"
	expectText(t, b.runOnce(3), "DFINERY_FINAL_NEWLINE=optional")
	if diff := cmp.Diff(before, b.published("events"), anyOrder); diff != "" {
		t.Errorf("published (-previous release +this one):\n%s", diff)
	}
	b.command([]string{"note: an earlier release", "DFINERY_FINAL_NEWLINE=optional"}, "status")
	if out, _ := b.run("check"); !strings.Contains(out, "DFINERY_FINAL_NEWLINE=optional") {
		t.Errorf("check does not name the variable:\n%s", out)
	}
	var service struct {
		Source   struct{ Habit map[string]bool }
		LineEnds json.RawMessage `json:"line_ends"`
	}
	text, err := json.Marshal(b.ledgerRecords()["service/1234"])
	if err == nil {
		err = json.Unmarshal(text, &service)
	}
	if err != nil || !service.Source.Habit["unterminated_lines_are_whole"] || len(service.LineEnds) == 0 {
		t.Errorf("the service's record: %s, %v", text, err)
	}

	b.program = programBefore(t)
	b.runOnce(0)
	b.program = binary
	b.set("DFINERY_FINAL_NEWLINE", "optional")
	b.runOnce(0)
	if out, _ := b.run("status"); strings.Contains(out, "earlier release") {
		t.Errorf("status still has the note:\n%s", out)
	}
}
