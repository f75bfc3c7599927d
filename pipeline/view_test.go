package pipeline

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// TestView_Roles: the role and reason that the view shows from the start of a process. The streams
// of the last owner stay, and the time until a day is lost keeps decreasing.
func TestView_Roles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := New(Config{ID: "1234"}).view
		expect := func(role, reason string, restoring bool, streams int) Status {
			t.Helper()
			st := v.Status()
			if st.Service != "1234" || st.Role != role || fmt.Sprint(st.Reasons) != "["+reason+"]" || st.Restoring != restoring || len(st.Streams) != streams {
				t.Errorf("status %+v, want a service that is %s: %s, restoring %t, %d streams", st, role, reason, restoring, streams)
			}
			return st
		}
		expect(RoleStarting, "starting", false, 0)
		v.showRestoring()
		expect(RoleStarting, "taking over the service and recovering its ledger", true, 0)
		v.show(&Status{Service: "1234", Role: RoleOwner, Turned: time.Now(), Streams: []StreamStatus{{Name: "events"}}, Remaining: map[string]time.Duration{"events": time.Hour}})
		expect(RoleOwner, "", false, 1)
		time.Sleep(20 * time.Minute)
		v.showWaiting(errors.New("Kafka does not answer"))
		if st := expect(RoleWaiting, "Kafka does not answer", false, 1); st.Remaining["events"] != 40*time.Minute {
			t.Errorf("the day is lost in %s, want 40m", st.Remaining["events"])
		}
		v.showRestoring()
		expect(RoleStarting, "taking over the service and recovering its ledger", true, 1)
		v.showStandby(nil)
		expect(RoleStandby, "standby: another instance owns the service", false, 1)
		v.showStandby(&ledger.Owner{Instance: "B"})
		v.showRestoring() // it is shown as a standby until it is the owner
		expect(RoleStandby, "standby: B owns the service", false, 1)
	})
}

// TestView_Letters: the newest dead letters are listed, up to a limit, and those of rows are
// counted by code.
func TestView_Letters(t *testing.T) {
	v := New(Config{ID: "1234"}).view
	for i := range maxRecentLetters + 10 {
		kind := schema.KindRow
		if i%2 == 1 {
			kind = schema.KindExport // counted with its export
		}
		v.wrote(&schema.DeadLetter{Stream: "events", Kind: kind, Error: schema.LetterError{Code: schema.FieldCount, Detail: fmt.Sprint(i)}})
	}
	letters := v.RecentLetters()
	if n := len(letters); n != maxRecentLetters || letters[0].Detail != "59" || letters[n-1].Detail != "10" {
		t.Errorf("%d letters from %q on, want %d from the newest on", n, letters[0].Detail, maxRecentLetters)
	}
	want := map[LetterKind]int64{{schema.KindRow, schema.FieldCount}: 30}
	if diff := cmp.Diff(want, v.Totals()["events"].Letters); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// TestCounts_Codes: the number of codes that are counted separately is limited, and readers get a
// copy of the counts.
func TestCounts_Codes(t *testing.T) {
	v := New(Config{ID: "1234"}).view
	for i := range 3 * maxCodes {
		code := schema.Code(fmt.Sprint("http_", i))
		v.counts.export("events", code)
		v.counts.deadLetter("events", schema.KindRow, code)
	}
	totals := v.Totals()["events"]
	if n := len(totals.Exports); n != maxCodes+1 || totals.Exports[otherCode] != 2*maxCodes {
		t.Errorf("%d codes of exports, %d others", n, totals.Exports[otherCode])
	}
	if n := len(totals.Letters); n != maxCodes+1 || totals.Letters[LetterKind{schema.KindRow, otherCode}] != 2*maxCodes {
		t.Errorf("%d codes of dead letters", n)
	}
	totals.Exports["http_0"], totals.Letters[LetterKind{schema.KindRow, "http_0"}] = 99, 99
	if again := v.Totals()["events"]; again.Exports["http_0"] != 1 || again.Letters[LetterKind{schema.KindRow, "http_0"}] != 1 {
		t.Error("a change of the copy changes the counts")
	}
}
