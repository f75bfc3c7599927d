package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/unicode"

	"dfinery-kafka/schema"
)

// encoded returns text in another encoding.
func encoded(t *testing.T, e encoding.Encoding, text string) string {
	t.Helper()
	out, err := e.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// koreanRows returns a CSV in which every tenth row is ASCII and the others are Korean.
func koreanRows(header string, n int) string {
	var b strings.Builder
	b.WriteString(header + "\n")
	for i := range n {
		if i%10 == 0 {
			fmt.Fprintf(&b, "u%d,open,ascii only\n", i)
		} else {
			fmt.Fprintf(&b, "u%d,구매,%d번 상품\n", i, i)
		}
	}
	return b.String()
}

// TestText_Declared exports answers in the charset that their content type declares, and
// compares the published text.
func TestText_Declared(t *testing.T) {
	t.Parallel()
	const header = "df_unified_id,event_name,memo"
	both := header + "\nu1,open,회화\nu2,open,카타\n" // valid as EUC-KR and as UTF-8
	utf16 := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	for name, c := range map[string]struct {
		kind string
		sent string
		want string
	}{
		"euc-kr":                   {"text/csv; charset=EUC-KR", encoded(t, korean.EUCKR, koreanRows(header, 2000)), koreanRows(header, 2000)},
		"cp949":                    {`text/csv; header=present; charset="cp949"`, encoded(t, korean.EUCKR, header+"\nu1,open,똠방각하\n"), header + "\nu1,open,똠방각하\n"},
		"a header in euc-kr":       {"text/csv;charset=euc-kr", encoded(t, korean.EUCKR, koreanRows("df_unified_id,event_name,메모", 50)), koreanRows("df_unified_id,event_name,메모", 50)},
		"bytes that are both":      {"text/csv; charset=EUC-KR", encoded(t, korean.EUCKR, both), both},
		"utf-16 with a mark":       {"text/csv; charset=utf-16", encoded(t, utf16, koreanRows(header, 2000)), koreanRows(header, 2000)},
		"utf-16 that says nothing": {"text/csv", encoded(t, utf16, koreanRows(header, 50)), koreanRows(header, 50)},
		"utf-8 as latin-1":         {"text/csv; charset=ISO-8859-1", koreanRows(header, 2000), koreanRows(header, 2000)},
		"latin-1":                  {"text/csv; charset=ISO-8859-1", header + "\nu1,caf\xe9,na\xefve\nu2,a,b\n", header + "\nu1,café,naïve\nu2,a,b\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _ := newAnswering(t, func(int, int) answer { return csvOf(c.kind, c.sent) })
			b.set("STREAM_EVENTS_START", "0", "STREAM_EVENTS_POLL_INTERVAL", "10ms")
			for range 2 { // the second export publishes nothing
				b.runOnce(0)
				compareRows(t, rowsOf(c.want), b.published("events"))
			}
			if letters := b.deadLetters(); len(letters) > 0 {
				t.Errorf("%d dead letters, the first: %+v", len(letters), letters[0].Error)
			}
		})
	}
}

// TestText_Undeclared exports rows in another charset than their content type declares: the
// stream is halted with one dead letter until DFINERY_CHARSET is set.
func TestText_Undeclared(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(koreanRows("df_unified_id,event_name,memo", 2000), "ascii only", "가나다")
	b, _ := newAnswering(t, func(int, int) answer { return csvOf("text/csv; charset=utf-8", encoded(t, korean.EUCKR, text)) })
	b.set("STREAM_EVENTS_START", "0")
	expectText(t, b.runOnce(3), `"msg":"stream is halted`, "1000 of the first 1000 rows are bad", "DFINERY_CHARSET")
	letters := b.deadLetters()
	if len(letters) != 1 || letters[0].Error.Code != schema.BadEncoding || letters[0].Kind != schema.KindExport {
		t.Fatalf("%d dead letters: %+v", len(letters), letters)
	}
	var lines []int
	for _, row := range letters[0].Rows {
		lines = append(lines, row.Line)
		if row.Code != schema.InvalidUTF8 || row.RawBase64 == "" {
			t.Errorf("an example: %+v", row)
		}
	}
	if diff := cmp.Diff([]int{2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, lines); diff != "" {
		t.Errorf("lines of the examples: %s", diff)
	}
	if rows := b.published("events"); len(rows) > 0 {
		t.Errorf("%d rows are published", len(rows))
	}
	b.set("DFINERY_CHARSET", "euc-kr")
	b.command(nil, "resume", "events")
	b.runOnce(0)
	compareRows(t, rowsOf(text), b.published("events"))
	if n := len(b.deadLetters()); n != 1 {
		t.Errorf("%d dead letters at the end", n)
	}
}

// TestText_Broken exports rows with bytes that are invalid in their charset: each has one dead
// letter with its decoded text, the other rows are published.
func TestText_Broken(t *testing.T) {
	t.Parallel()
	sent := "df_unified_id,memo\n" + encoded(t, korean.EUCKR, "u1,구매\n") + "u2,\xb1\n" + "u3,\"\xb1\"\n" + encoded(t, korean.EUCKR, "u4,상품\n") + "u5,\xff\xb1\xb8\n"
	b, _ := newAnswering(t, func(int, int) answer { return csvOf("text/csv; charset=euc-kr", sent) })
	b.set("STREAM_EVENTS_START", "0", "STREAM_EVENTS_POLL_INTERVAL", "10ms")
	b.runOnce(0)
	b.runOnce(0)
	compareRows(t, rowsOf("df_unified_id,memo\nu1,구매\nu4,상품\n"), b.published("events"))
	got := map[string]string{}
	for _, l := range b.deadLetters() {
		got[fmt.Sprintf("%s line %d offset %d", l.Error.Code, l.Row.Line, l.Row.Offset)] = rawRow(t, l.Row)
	}
	want := map[string]string{
		"invalid_utf8 line 3 offset 29": "u2,\xff", "invalid_utf8 line 4 offset 34": "u3,\"\xff\"", "invalid_utf8 line 6 offset 51": "u5,\xff구",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
}

// TestText_ReleaseBefore exports days again that the previous release has published: no row is
// published twice, whatever charset the content type declares.
func TestText_ReleaseBefore(t *testing.T) {
	t.Parallel()
	const days = 9
	const header = "df_unified_id,event_name,memo"
	text := func(back int) string {
		return strings.ReplaceAll(koreanRows(header, 30), "\nu", fmt.Sprintf("\nd%du", back))
	}
	for name, c := range map[string]struct {
		kind   string
		halted bool
	}{
		"no charset":                   {"text/csv", false},
		"utf-8":                        {"text/csv; charset=utf-8", false},
		"utf-8 as iso-8859-1":          {"text/csv; charset=iso-8859-1", false},
		"utf-8 as windows-1252":        {"text/csv; charset=windows-1252", false},
		"utf-8 as euc-kr":              {"text/csv; charset=euc-kr", true},
		"utf-8 as shift_jis":           {"text/csv; charset=Shift_JIS", true},
		"utf-8 as what does not exist": {"text/csv; charset=klingon", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _ := newAnswering(t, func(back, _ int) answer { return csvOf(c.kind, text(back)) })
			b.set("STREAM_EVENTS_START", fmt.Sprint(days))
			b.program = programBefore(t)
			b.runOnce(0)
			var want []row
			for back := range days + 1 {
				want = append(want, rowsOf(text(back))...)
			}
			compareRows(t, want, b.published("events"))

			b.program = binary
			today := currentDay()
			again := func() {
				b.command(nil, "backfill", "events", "--from", (today - days).String(), "--to", today.String(), "--yes")
			}
			again()
			if c.halted {
				expectText(t, b.runOnce(3), `"msg":"stream is halted`, "DFINERY_CHARSET")
				compareRows(t, want, b.published("events"))
				if got := b.deadLettersByCode(); got[schema.BadEncoding] == 0 || len(got) != 1 {
					t.Errorf("dead letters: %v", got)
				}
				b.set("DFINERY_CHARSET", "utf-8")
				b.command(nil, "resume", "events")
			}
			b.runOnce(0)
			compareRows(t, want, b.published("events"))
			for day, state := range b.status().Streams[0].Days {
				if state.Exports < 2 {
					t.Errorf("day %d was exported %d times", day, state.Exports)
				}
			}
		})
	}
}
