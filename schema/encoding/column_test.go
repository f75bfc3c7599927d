package encoding

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadColumns: a file of columns as editors and spreadsheets write it, and what is wrong with
// others.
func TestReadColumns(t *testing.T) {
	t.Parallel()
	want := []Declaration{{Column: "visits", Type: Type{Kind: Long}}, {Column: "a,b", Type: Type{Kind: Decimal, Precision: 12, Scale: 2}, Name: "price"}}
	for name, text := range map[string]string{
		"plain":            "column,type,field\nvisits,long,\n\"a,b\",\"decimal(12,2)\",price\n",
		"of a spreadsheet": "\ufeffcolumn,type,field\r\nvisits,long,\r\n\"a,b\",\"decimal(12,2)\",price\r\n",
		"spaces":           "column,type,field\n\n visits , long\n\"a,b\", \"decimal(12, 2)\", price ",
	} {
		got, err := ReadColumns(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" && err == nil {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for text, want := range map[string]string{
		"":                                      "read the header of the columns' file: EOF",
		"name,type\n":                           `the columns' file begins with "name,type"; it must begin with column,type or column,type,field`,
		"column,type\nprice,decimal(12,2)\n":    `column price: write the type in quotes, "decimal(p,s)", because it contains a comma`,
		"column,type\n\" \",long\n":             `" ,long": write COLUMN:TYPE or COLUMN:TYPE:FIELD`,
		"column,type\nvisits,long\nvisits,date": "column visits is declared twice",
	} {
		if _, err := ReadColumns(strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
