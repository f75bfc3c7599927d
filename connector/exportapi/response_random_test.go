package exportapi_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"

	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/schema"
)

// written is an encoding of a generated body, by another library or by code of this test.
type written struct {
	labels   []string
	alphabet []rune
	encode   func(text string) string
	broken   string // bytes that are invalid in the encoding, whatever precedes and follows them; empty: none
	mark     string
}

func by(e encoding.Encoding) func(string) string {
	return func(text string) string {
		out, err := e.NewEncoder().String(text)
		if err != nil {
			panic(err)
		}
		return out
	}
}

func units(order binary.ByteOrder) func(string) string {
	return func(text string) string {
		var out []byte
		for _, unit := range utf16.Encode([]rune(text)) {
			out = order.(binary.AppendByteOrder).AppendUint16(out, unit)
		}
		return string(out)
	}
}

func runes(order binary.ByteOrder) func(string) string {
	return func(text string) string {
		var out []byte
		for _, r := range text {
			out = order.(binary.AppendByteOrder).AppendUint32(out, uint32(r))
		}
		return string(out)
	}
}

var (
	hangul      = []rune("가나다라구매상품회화똠방각하ㄱㅏ한글")
	kana        = []rune("ソ能表十日本語カナひらｱｲ")
	hanzi       = []rune("你好中国人民币上海龙")
	traditional = []rune("你好中國人民功許蓋餐廳")
	western     = []rune("éïçñüÄÖß") // no two of which form a UTF-8 character
	everything  = []rune("한日你é€\U0001f600\ufffd\u00a0")
)

var writtenAs = []written{
	{[]string{"", "utf-8", "UTF8", "us-ascii", "iso-8859-1", "windows-1252", "latin1"}, everything, func(s string) string { return s }, "\xff", ""},
	{[]string{"", "utf-8", "euc-kr", "klingon"}, everything, func(s string) string { return s }, "\xff", "\ufeff"},
	{[]string{"euc-kr", "CP949", "ks_c_5601-1987", `"MS949"`}, hangul, by(korean.EUCKR), "\xff", ""},
	{[]string{"Shift_JIS", "windows-31j"}, kana, by(japanese.ShiftJIS), "\xff", ""},
	{[]string{"euc-jp"}, kana, by(japanese.EUCJP), "\xff", ""},
	{[]string{"iso-2022-jp"}, []rune("日本語カナひら"), by(japanese.ISO2022JP), "\x80", ""},
	{[]string{"gbk", "gb2312"}, hanzi, by(simplifiedchinese.GBK), "\xff", ""},
	{[]string{"gb18030"}, everything, by(simplifiedchinese.GB18030), "\xff", ""},
	{[]string{"big5", "cp950"}, traditional, by(traditionalchinese.Big5), "\xff", ""},
	{[]string{"iso-8859-1", "windows-1252"}, western, by(charmap.Windows1252), "", ""},
	{[]string{"koi8-r"}, []rune("Приветмир"), by(charmap.KOI8R), "", ""},
	{[]string{"utf-16", "utf-16le", ""}, everything, units(binary.LittleEndian), "\x00\xd8", "\xff\xfe"},
	{[]string{"utf-16", "utf-16be", "euc-kr"}, everything, units(binary.BigEndian), "\xdc\x00", "\xfe\xff"},
	{[]string{"utf-16le", "utf-16"}, everything, units(binary.LittleEndian), "\x00\xd8", ""},
	{[]string{"utf-16be", "utf-16"}, everything, units(binary.BigEndian), "\xdc\x00", ""},
	{[]string{"utf-32", "utf-32le"}, everything, runes(binary.LittleEndian), "\x00\x00\x11\x00", "\xff\xfe\x00\x00"},
	{[]string{"utf-32be"}, everything, runes(binary.BigEndian), "\x00\x00\xd8\x00", ""},
}

// generated is a body and its expected content.
type generated struct {
	what   string
	header http.Header
	body   string
	cells  [][]string // of the good rows
	broken []int      // lines of the rows that can't be decoded
}

func generate(rng *rand.Rand) generated {
	w := writtenAs[rng.IntN(len(writtenAs))]
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	label, end := pick(w.labels...), pick("\n", "\r\n")
	g := generated{header: http.Header{}}
	word := func() string {
		var b strings.Builder
		for range rng.IntN(4) {
			if rng.IntN(3) == 0 {
				b.WriteString(pick("a", "0", " ", "~", "\\", "{"))
			} else {
				b.WriteRune(w.alphabet[rng.IntN(len(w.alphabet))])
			}
		}
		return b.String()
	}
	names := []string{"id", "v", "w"}
	if rng.IntN(3) == 0 || strings.Contains(label, "1") && w.broken == "\xff" { // else an invalid row could be the first that shows the charset
		names[1] = "n" + string(w.alphabet[0])
	}
	var sent strings.Builder
	sent.WriteString(w.mark + w.encode(strings.Join(names, ",")+end))
	rows := 1 + rng.IntN(12)
	bad := rng.IntN(2 * rows) // which row is invalid, if any
	for i := range rows {
		cells := []string{fmt.Sprint("k", i), word(), word()}
		at := -1
		if i == bad && w.broken != "" {
			at = rng.IntN(len(cells))
		}
		for c, cell := range cells {
			if c > 0 {
				sent.WriteString(w.encode(","))
			}
			quote := ""
			if rng.IntN(3) == 0 {
				quote = `"`
			}
			sent.WriteString(w.encode(quote))
			if at == c && rng.IntN(2) == 0 {
				sent.WriteString(w.broken)
				at = -2
			}
			sent.WriteString(w.encode(cell))
			if at == c {
				sent.WriteString(w.broken)
				at = -2
			}
			sent.WriteString(w.encode(quote))
		}
		sent.WriteString(w.encode(end))
		if at == -2 {
			g.broken = append(g.broken, i+2)
		} else {
			g.cells = append(g.cells, cells)
		}
	}
	g.body = sent.String()
	kind := pick("text/csv", "text/plain", "application/csv", "application/octet-stream", "text/html", "application/json")
	if label != "" {
		kind += pick("; charset=", ";charset=", "; header=present; charset=") + label
	}
	g.header.Set("Content-Type", kind)
	coding, layers := pick("", "", "identity", "utf-8", "none", "gzip", "br"), 0
	if rng.IntN(2) == 0 {
		coding, layers = pick("gzip", "x-gzip", "", "utf-8"), 1+rng.IntN(2)
	}
	for range layers {
		g.body = string(zipped(g.body)) + strings.Repeat("\x00", rng.IntN(3)*rng.IntN(600))
	}
	if coding != "" || rng.IntN(4) == 0 {
		g.header.Set("Content-Encoding", coding)
	}
	g.what = fmt.Sprintf("%v, %d layers of gzip: %q", g.header, layers, g.body)
	return g
}

// TestAnswers_Random exports answers with random charsets, labels, content types, content
// codings and positions of invalid bytes, and compares the cells.
func TestAnswers_Random(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 1000 {
		g := generate(rng)
		api, _ := answering(http.StatusOK, g.header, g.body)
		cells, broken, err := readCells(t, api)
		if err != nil {
			t.Fatalf("%v\n%s", err, g.what)
		}
		if diff := cmp.Diff(g.cells, cells); diff != "" {
			t.Fatalf("cells (-written +read):\n%s\n%s", diff, g.what)
		}
		if diff := cmp.Diff(g.broken, broken); diff != "" {
			t.Fatalf("invalid lines (-written +read):\n%s\n%s", diff, g.what)
		}
	}
}

func readCells(t *testing.T, c *exportapi.Client) (cells [][]string, broken []int, failure error) {
	t.Helper()
	body, err := c.Export(t.Context(), export(t))
	if err != nil {
		return nil, nil, err
	}
	defer body.Close()
	for {
		row, err := body.Next()
		if bad, ok := err.(*schema.BadRow); ok && bad.Code == schema.InvalidUTF8 {
			broken = append(broken, bad.Line)
			continue
		}
		if err != nil {
			if err.Error() != "EOF" {
				failure = err
			}
			return cells, broken, failure
		}
		var list []string
		for i := range row.Cells {
			list = append(list, string(row.Cell(i)))
		}
		cells = append(cells, list)
	}
}
