package encoding

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

// Declaration is a user's declaration of a column: its type, and optionally
// another name.
type Declaration struct {
	Column string
	Type   Type
	Name   string // empty: the column's
}

// ParseColumns parses a list of COLUMN:TYPE[:FIELD], separated by commas outside
// <> and ().
func ParseColumns(text string) ([]Declaration, error) {
	var list []Declaration
	for _, entry := range splitOutside(text) {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		d, err := parseDeclaration(strings.Split(entry, ":"), entry)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, checkDeclarations(list)
}

const byteOrderMark = "\ufeff"

// ReadColumns reads a CSV with the header column,type or column,type,field.
func ReadColumns(r io.Reader) ([]Declaration, error) {
	text := bufio.NewReader(r)
	if mark, err := text.Peek(len(byteOrderMark)); err == nil && string(mark) == byteOrderMark { // spreadsheets write it
		_, _ = text.Discard(len(byteOrderMark)) // it is buffered
	}
	reader := csv.NewReader(text)
	reader.FieldsPerRecord = -1
	reader.TrimLeadingSpace = true
	header, err := reader.Read()
	if err != nil {
		return nil, fmt.Errorf("read the header of the columns' file: %w", err)
	}
	if text := strings.Join(header, ","); text != "column,type" && text != "column,type,field" {
		return nil, fmt.Errorf("the columns' file begins with %q; it must begin with column,type or column,type,field", text)
	}
	var list []Declaration
	for {
		record, err := reader.Read()
		if err == io.EOF {
			return list, checkDeclarations(list)
		}
		if err != nil {
			return nil, fmt.Errorf("read the columns' file: %w", err)
		}
		for len(record) > 2 && record[len(record)-1] == "" {
			record = record[:len(record)-1]
		}
		if len(record) > 2 && strings.HasPrefix(record[1], "decimal(") && !strings.HasSuffix(record[1], ")") {
			return nil, fmt.Errorf("column %s: write the type in quotes, \"decimal(p,s)\", because it contains a comma", record[0])
		}
		d, err := parseDeclaration(record, strings.Join(record, ","))
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
}

func parseDeclaration(parts []string, whole string) (Declaration, error) {
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	if len(parts) < 2 || len(parts) > 3 || parts[0] == "" || len(parts) == 3 && parts[2] == "" {
		return Declaration{}, fmt.Errorf("%q: write COLUMN:TYPE or COLUMN:TYPE:FIELD", whole)
	}
	t, err := ParseType(parts[1])
	if err != nil {
		return Declaration{}, fmt.Errorf("column %s: %w", parts[0], err)
	}
	d := Declaration{Column: parts[0], Type: t}
	if len(parts) == 3 {
		d.Name = parts[2]
	}
	return d, nil
}

// splitOutside splits at commas outside brackets.
func splitOutside(text string) []string {
	var list []string
	depth, from := 0, 0
	for i, c := range text {
		switch c {
		case '<', '(':
			depth++
		case '>', ')':
			depth--
		case ',':
			if depth == 0 {
				list = append(list, text[from:i])
				from = i + 1
			}
		}
	}
	return append(list, text[from:])
}

func checkDeclarations(list []Declaration) error {
	columns, names := map[string]bool{}, map[string]string{}
	for _, d := range list {
		if columns[d.Column] {
			return fmt.Errorf("column %s is declared twice", d.Column)
		}
		columns[d.Column] = true
		name := d.Name
		if name == "" {
			name = d.Column
		}
		if other, ok := names[name]; ok {
			return fmt.Errorf("columns %s and %s are both named %s", other, d.Column, name)
		}
		names[name] = d.Column
	}
	return nil
}

// builtIn are the types of DFINERY's standard columns: the SDK refuses values
// of other types (see "standard events and properties" in the platform's developer
// guide). Item properties are not included: whether their cells contain one value
// or an array is not documented.
var builtIn = map[string]Kind{
	"df_server_datetime": Datetime, "df_correction_datetime": Datetime,
	"df_total_purchase_amount": Double, "df_total_refund_amount": Double, "df_delivery_charge": Double, "df_discount": Double,
	"df_birth":      Date,
	"df_push_optin": Boolean, "df_push_ads_optin": Boolean, "df_push_night_ads_optin": Boolean, "df_sms_ads_optin": Boolean, "df_kakao_ads_optin": Boolean,
}

// BuiltIn is the type of a standard column; String for every other.
func BuiltIn(column string) Type { return Type{Kind: builtIn[column]} }
