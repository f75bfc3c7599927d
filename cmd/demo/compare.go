package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"dfinery-kafka/schema"
)

// Comparison is the result of comparing all rows of the API with all records in Kafka.
type Comparison struct {
	Rows, Records, Cells int
	Faults               []string
}

// Compare compares the records of a topic with the days' rows, as column → value. Each
// row must be in the topic as often as in its day, with its key and day, and with an id
// that is unique within the day.
func Compare(days map[schema.Day][]map[string]string, records []Message) Comparison {
	var c Comparison
	want := map[string]int{}
	for day, rows := range days {
		c.Rows += len(rows)
		for _, row := range rows {
			c.Cells += len(row)
			want[identity(day.String(), row)]++
		}
	}
	ids := map[string]bool{}
	for _, m := range records {
		day := m.Day()
		if at, err := schema.ParseDay(day); err != nil || days[at] == nil {
			continue // a day that began during the demo
		}
		c.Records++
		row := map[string]string{}
		if err := json.Unmarshal(m.Value, &row); err != nil {
			c.Faults = append(c.Faults, fmt.Sprintf("%s: not a flat JSON object: %v", m, err))
			continue
		}
		if row["df_unified_id"] != string(m.Key) {
			c.Faults = append(c.Faults, fmt.Sprintf("%s: the key is not the row's df_unified_id", m))
		}
		if id := day + " " + m.Headers["id"]; ids[id] {
			c.Faults = append(c.Faults, fmt.Sprintf("%s: its id occurs twice", m))
		} else {
			ids[id] = true
		}
		want[identity(day, row)]--
	}
	for row, n := range want {
		switch {
		case n > 0:
			c.Faults = append(c.Faults, fmt.Sprintf("%d missing: %s", n, row))
		case n < 0:
			c.Faults = append(c.Faults, fmt.Sprintf("%d too many: %s", -n, row))
		}
	}
	slices.Sort(c.Faults)
	return c
}

// Err returns nil if there are no differences.
func (c Comparison) Err() error {
	const shown = 5
	switch n := len(c.Faults); {
	case c.Rows == 0:
		return fmt.Errorf("no rows to compare")
	case n > shown:
		return fmt.Errorf("%d differences:\n  %s\n  and %d more", n, strings.Join(c.Faults[:shown], "\n  "), n-shown)
	case n > 0:
		return fmt.Errorf("%d differences:\n  %s", n, strings.Join(c.Faults, "\n  "))
	}
	return nil
}

// identity is equal for equal rows of a day: json.Marshal sorts the members by name.
func identity(day string, row map[string]string) string {
	text, _ := json.Marshal(row) // a map of strings is always JSON
	return day + " " + string(text)
}
