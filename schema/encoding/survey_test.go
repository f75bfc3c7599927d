package encoding

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestSurvey_Candidates(t *testing.T) {
	for name, test := range map[string]struct {
		cells []string
		want  string
	}{
		"no cell":                        {nil, ""},
		"empty cells":                    {[]string{"", ""}, ""},
		"words":                          {[]string{"Seoul", "1"}, ""},
		"integers":                       {[]string{"12", "-7"}, "long 0, double 0"},
		"zeros and ones":                 {[]string{"0", "1", "1"}, "boolean 0, long 0, double 0"},
		"amounts":                        {[]string{"12.50", "-1234.5", "7"}, "decimal(6,2) 0, double 0"},
		"exponents":                      {[]string{"1.5", "1e3"}, "double 0"},
		"dates":                          {[]string{"2026-02-28"}, "date 0"},
		"times":                          {[]string{"2026-11-23T10:58:14.589Z"}, "datetime 0, datetime(6) 0"},
		"finer times":                    {[]string{"2026-11-23T10:58:14.589123Z"}, "datetime(6) 0"},
		"lists":                          {[]string{`["a","b"]`}, "array<string> 0"},
		"lists of numbers":               {[]string{"[1,2]", "[3]"}, "array<long> 0, array<double> 0"},
		"one stray in twenty":            {append(slices.Repeat([]string{"5"}, 19), "007"), "long 1, double 1"},
		"one stray in ten":               {append(slices.Repeat([]string{"5"}, 9), "007"), ""},
		"more digits than a decimal has": {[]string{"0.5", strings.Repeat("9", 38)}, "double 0"},
	} {
		t.Run(name, func(t *testing.T) {
			var s Survey
			for _, cell := range test.cells {
				s.Add([]byte(cell))
			}
			var got []string
			for _, c := range s.Candidates() {
				got = append(got, fmt.Sprint(c.Type, " ", c.Rejected))
				for _, cell := range test.cells {
					if c.Rejected == 0 && !c.Type.Accepts([]byte(cell)) {
						t.Errorf("%s refuses %q", c.Type, cell)
					}
				}
			}
			if text := strings.Join(got, ", "); text != test.want {
				t.Errorf("candidates %q, want %q", text, test.want)
			}
		})
	}
}
