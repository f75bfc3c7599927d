package privacy_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/privacy"
)

const secret = "0123456789abcdef0123456789abcdef"

func key(t testing.TB, secret string) privacy.Key {
	t.Helper()
	k, err := privacy.NewKey([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func columns(t testing.TB, names ...string) *schema.Columns {
	t.Helper()
	c, err := schema.NewColumns(names)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// rowOf returns a row as a CSV reader does.
func rowOf(c *schema.Columns, cells ...string) *schema.Row {
	r := &schema.Row{Columns: c, Line: 2, Offset: 10, Plain: true}
	for i, cell := range cells {
		if i > 0 {
			r.Data = append(r.Data, ',')
		}
		start := uint32(len(r.Data))
		r.Data = append(r.Data, cell...)
		r.Cells = append(r.Cells, schema.Span{Start: start, End: uint32(len(r.Data))})
	}
	r.Raw = r.Data
	return r
}

func cellsOf(r *schema.Row) map[string]string {
	cells := map[string]string{}
	for i, name := range r.Columns.Names {
		cells[name] = string(r.Cell(i))
	}
	return cells
}

func view(t testing.TB, lists privacy.Lists, header *schema.Columns) *privacy.View {
	t.Helper()
	v, err := privacy.New(lists, key(t, secret)).View(header)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestPublicRow(t *testing.T) {
	header := columns(t, "df_unified_id", "df_name", "df_birth", "phone", "city", "long")
	v := view(t, privacy.Lists{Drop: []string{"phone"}, Hash: []string{"df_name", "df_birth", "long"}, Mask: []string{"city"}}, header)
	long := strings.Repeat("x", 100)
	tests := map[string]struct {
		cells []string
		want  map[string]string
	}{
		"full": {[]string{"u1", "김철수", "a", "010", "Seoul", long}, map[string]string{
			"df_unified_id": "u1", "city": "***"}},
		"empty stays empty": {[]string{"u1", "", "", "", "", ""}, map[string]string{"df_unified_id": "u1", "city": ""}},
		"columns apart":     {[]string{"u1", "a", "a", "", "", ""}, map[string]string{"df_unified_id": "u1", "city": ""}},
	}
	// The hashes are computed as schema/README.md defines them.
	want := func(column, cell string) string {
		if cell == "" {
			return ""
		}
		mac := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(mac, "dfinery-kafka hash 1\x00%s", column)
		inner := hmac.New(sha256.New, mac.Sum(nil))
		fmt.Fprint(inner, cell)
		return base64.RawURLEncoding.EncodeToString(inner.Sum(nil)[:16])
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.want["df_name"], test.want["df_birth"], test.want["long"] = want("df_name", test.cells[1]), want("df_birth", test.cells[2]), want("long", test.cells[5])
			var row schema.Row
			for range 2 { // the second time with cached hashes and reused memory
				src := rowOf(header, test.cells...)
				v.Public(&row, src)
				if diff := cmp.Diff(test.want, cellsOf(&row)); diff != "" {
					t.Errorf("public row (-want +got):\n%s", diff)
				}
				if row.Raw != nil || row.Size() != len(src.Raw) || row.Line != 2 || row.Offset != 10 {
					t.Errorf("row %+v", row)
				}
			}
		})
	}
}

// TestVectors compares hashes with those of another implementation (Python's hmac). No release
// may change them.
func TestVectors(t *testing.T) {
	header := columns(t, "df_name", "df_birth")
	v := view(t, privacy.Lists{Hash: []string{"df_name", "df_birth"}}, header)
	for _, test := range []struct{ name, birth, wantName, wantBirth string }{
		{"김철수", "1990-01-01", "a-eh7v2ajLkhcMIFwpO9sw", "bAni9TMbhp_i-ZwsJJOYXQ"},
		{"a", "a", "aU5ZagBc3QrqmdIECDbiXg", "Q0QFgbPZgH13lLnCIi1y_Q"},
		{"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "한", "A0QD0q_4yWIly3ruaUvHKw", "O295hPxl5vQ56WoO8AG8Nw"},
	} {
		var row schema.Row
		v.Public(&row, rowOf(header, test.name, test.birth))
		if got := cellsOf(&row); got["df_name"] != test.wantName || got["df_birth"] != test.wantBirth {
			t.Errorf("%.5q, %q: %v", test.name, test.birth, got)
		}
	}
	p := privacy.New(privacy.Lists{Hash: []string{"df_name"}}, key(t, secret))
	if got := p.KeyID(); got != "Oe1SUrCb" {
		t.Errorf("key id %q", got)
	}
	if got := string(schema.AppendID(nil, p.LineHash([]byte("a,b")), 0)); got != "HqT5MJAvZwImBeJDMIaJRQ" {
		t.Errorf("line hash %q", got)
	}
}

func TestIdentity(t *testing.T) {
	k, other := key(t, secret), key(t, strings.Repeat("k", 40))
	base := privacy.New(privacy.Lists{Drop: []string{"a", "b"}, Hash: []string{"c"}}, k)
	same := privacy.New(privacy.Lists{Drop: []string{"b", "a"}, Hash: []string{"c"}}, k)
	identity := func(p *privacy.Policy) string { return p.ListsIdentity() + "\n" + p.KeyID() }
	if identity(base) != identity(same) {
		t.Error("the order of names changes the identity")
	}
	seen := map[string]string{"base": identity(base), "none": identity(nil)}
	for name, p := range map[string]*privacy.Policy{
		"another key":  privacy.New(privacy.Lists{Drop: []string{"a", "b"}, Hash: []string{"c"}}, other),
		"another list": privacy.New(privacy.Lists{Drop: []string{"a", "b"}, Mask: []string{"c"}}, k),
		"moved":        privacy.New(privacy.Lists{Drop: []string{"a"}, Hash: []string{"b", "c"}}, k),
		"less":         privacy.New(privacy.Lists{Drop: []string{"a", "b"}}, k),
	} {
		for former, its := range seen {
			if identity(p) == its {
				t.Errorf("%s has the identity of %s", name, former)
			}
		}
		seen[name] = identity(p)
	}
	if privacy.New(privacy.Lists{}, k) != nil {
		t.Error("empty lists result in a policy")
	}
	if diff := cmp.Diff([]string{"a", "c"}, base.Missing([]string{"b", "x"})); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
}

func TestKeyIsNotPrinted(t *testing.T) {
	k := key(t, secret)
	text, err := json.Marshal(struct{ K privacy.Key }{k})
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprintf("%v %+v %#v %x %s %q", k, k, k, k, k, &k), string(text), k.LogValue().String()} {
		if strings.Contains(shown, secret[:8]) || strings.Contains(shown, fmt.Sprintf("%x", secret[:8])) {
			t.Errorf("shown: %s", shown)
		}
	}
}
