package encoding

import (
	"regexp"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var wireName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// unmapName is the inverse of mapName.
func unmapName(name string) string {
	return regexp.MustCompile(`_x([0-9a-f]+)_`).ReplaceAllStringFunc(name, func(escape string) string {
		n, _ := strconv.ParseInt(escape[2:len(escape)-1], 16, 64)
		return string(rune(n))
	})
}

func FuzzMapName(f *testing.F) {
	for _, name := range []string{"df_unified_id", "a-b", "a_x2d_b", "이름", "1st", "_x", "_xg", "__x1_", "a b", "", "x_xx_"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if !utf8.ValidString(name) || name == "" {
			return
		}
		mapped := mapName(name)
		if !wireName.MatchString(mapped) {
			t.Errorf("%q is mapped to %q, which is not a valid name", name, mapped)
		}
		if back := unmapName(mapped); back != name {
			t.Errorf("%q is mapped to %q, which is read back as %q", name, mapped, back)
		}
	})
}

// TestProtoNames: names of Protobuf fields are unique and do not depend on later fields.
func TestProtoNames(t *testing.T) {
	fields := []Field{{Name: "a-b"}, {Name: "a_x2d_b"}, {Name: "aX2dB"}, {Name: "a_b"}, {Name: "aB"}, {Name: "가"}, {Name: "ab"}, {Name: "AB"}}
	names := protoNames(fields)
	taken := map[string]int{}
	for i, n := range names {
		for _, name := range []string{n.field, lowerCamel(n.field), n.json} {
			if other, ok := taken[name]; ok && other != i {
				t.Errorf("fields %d and %d share the name %q", other, i, name)
			}
			taken[name] = i
		}
		if !wireName.MatchString(n.field) {
			t.Errorf("%q is not a valid field name", n.field)
		}
		if diff := cmp.Diff(names[:i+1], protoNames(fields[:i+1]), cmp.AllowUnexported(protoName{})); diff != "" {
			t.Errorf("the names of the first %d fields depend on later ones:\n%s", i+1, diff)
		}
	}
}
