package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// The references are simple programs: encoding/csv, encoding/json, a Kafka client. They
// have no state, so they can neither resume nor skip rows that were published before,
// and a bad row ends them.

// export calls yield with the key and the value of each row of the day; the callee may
// retain both.
func (t *task) export(yield func(key, value []byte) error) error {
	body := fmt.Sprintf(`{"events_condition_type":"all","from_date":%q,"to_date":%q}`, t.day, t.day)
	req, err := http.NewRequest(http.MethodPost, t.api+"/api/v1/export/event?service_id="+service, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("export: %s", res.Status)
	}
	r := csv.NewReader(res.Body)
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return fmt.Errorf("read the header: %w", err)
	}
	e := newEncoder(slices.Clone(header))
	for {
		cells, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		key, value, err := e.record(cells)
		if err != nil {
			return err
		}
		if err := yield(key, value); err != nil {
			return err
		}
	}
}

// encoder creates records with encoding/json.
type encoder struct {
	columns []string
	key     int
	row     map[string]string
}

func newEncoder(columns []string) *encoder {
	return &encoder{columns: columns, key: slices.Index(columns, keyColumn), row: make(map[string]string, len(columns))}
}

// record leaves empty cells out.
func (e *encoder) record(cells []string) (key, value []byte, err error) {
	clear(e.row)
	for i, cell := range cells {
		if cell != "" {
			e.row[e.columns[i]] = cell
		}
	}
	value, err = json.Marshal(e.row)
	return []byte(cells[e.key]), value, err
}
