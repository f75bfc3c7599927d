package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"dfinery-kafka/pipeline/preview"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// showPreview writes a preview as text.
func showPreview(w io.Writer, p *preview.Plan, v *preview.Result) error {
	var b strings.Builder
	topic := fmt.Sprintf("%s, %s", p.Topic.Name, schema.Pluralize(p.Topic.Partitions, "partition"))
	if !p.Topic.Exists {
		topic += ", does not exist yet"
	}
	fmt.Fprintf(&b, "\n%s for topic %s\n", schema.Pluralize(len(v.Records), "record"), topic)
	switch {
	case v.SchemaID == preview.UnassignedSchemaID:
		fmt.Fprintf(&b, "the schema of subject %s would be registered: it has no id yet; --json shows its text\n", v.Subject)
	case v.SchemaID != 0:
		fmt.Fprintf(&b, "schema %d of subject %s\n", v.SchemaID, v.Subject)
	}
	for i := range v.Records {
		showRecord(&b, i+1, &v.Records[i])
	}
	showLetters(&b, v.Letters)
	showColumns(&b, v)
	_, err := io.WriteString(w, b.String())
	return err
}

func showRecord(b *strings.Builder, n int, r *preview.Record) {
	fmt.Fprintf(b, "\nrecord %d, partition %d\n", n, r.Partition)
	width := len("value")
	for _, h := range r.Headers {
		width = max(width, utf8.RuneCountInString(h.Key))
	}
	line := func(name, text string) { fmt.Fprintf(b, "  %s  %s\n", padded(name, width), visible(text)) }
	line("key", r.Key)
	for _, h := range r.Headers {
		line(h.Key, h.Value)
	}
	switch {
	case r.Value != nil:
		line("value", *r.Value)
	case r.Binary != nil:
		line("value", fmt.Sprintf("%d bytes: %s", len(r.Binary), r.Fields))
	default:
		line("value", "null")
	}
}

// showLetters writes the dead letters that would be published.
func showLetters(b *strings.Builder, letters []preview.Record) {
	if len(letters) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s for topic %s\n", schema.Pluralize(len(letters), "dead letter"), letters[0].Topic)
	for i := range letters {
		var letter schema.DeadLetter
		if err := json.Unmarshal([]byte(*letters[i].Value), &letter); err != nil {
			continue // can't happen: the letters were encoded here
		}
		fmt.Fprintf(b, "\n%s %s\n", letter.Kind, letter.Error.Code)
		fmt.Fprintf(b, "  %s\n", visible(letter.Error.Detail))
		if letter.Row != nil && letter.Row.Raw != "" {
			fmt.Fprintf(b, "  %s\n", visible(letter.Row.Raw))
		}
	}
}

// showColumns writes the table of the columns.
func showColumns(b *strings.Builder, v *preview.Result) {
	if len(v.Columns) == 0 {
		return
	}
	rows := "the first " + schema.Pluralize(v.Sampled, "row")
	if v.Whole {
		rows = "all " + schema.Pluralize(v.Sampled, "row")
	}
	fmt.Fprintf(b, "\n%s, from %s of the day\n\n", schema.Pluralize(len(v.Columns), "column"), rows)
	table := [][]string{{"COLUMN", "TYPE", "FILLED", "REJECTED", "WOULD FIT"}}
	for i := range v.Columns {
		c := &v.Columns[i]
		name := visible(c.Name)
		if c.Field != c.Name {
			name += " as " + visible(c.Field)
		}
		var fits []string
		for _, candidate := range c.Candidates {
			if c.Type.Kind != encoding.String && c.Rejected == 0 {
				break // the current type fits
			}
			text := candidate.Type.String()
			if candidate.Rejected > 0 {
				text += fmt.Sprintf(" except %s", schema.Pluralize(candidate.Rejected, "cell"))
			}
			fits = append(fits, text)
		}
		if c.Hidden {
			fits = []string{"hidden"}
		}
		table = append(table, []string{name, c.Type.String(), fmt.Sprint(c.Filled), fmt.Sprint(c.Rejected), strings.Join(fits, ", ")})
	}
	writeTable(b, table, map[int]bool{2: true, 3: true})
}

// writeTable aligns the cells; the columns in right are right-aligned.
func writeTable(b *strings.Builder, table [][]string, right map[int]bool) {
	widths := make([]int, len(table[0]))
	for _, row := range table {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range table {
		var line strings.Builder
		for i, cell := range row {
			text := padded(cell, widths[i])
			if right[i] {
				text = strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)) + cell
			}
			line.WriteString("  " + text)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

func padded(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

// visible returns text on one line, without control characters.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
}
