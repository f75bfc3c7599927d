package main

import (
	"encoding/json"
	"io"

	"dfinery-kafka/pipeline/preview"
	"dfinery-kafka/schema"
)

// previewView is a preview as JSON.
type previewView struct {
	Service     string                `json:"service_id"`
	Stream      string                `json:"stream"`
	Day         schema.Day            `json:"day"`
	Topic       string                `json:"topic"`
	TopicExists bool                  `json:"topic_exists"`
	Partitions  int                   `json:"partitions"`
	Subject     string                `json:"subject,omitempty"`
	SchemaID    int                   `json:"schema_id,omitempty"`
	Records     []recordView          `json:"records"`
	Letters     []recordView          `json:"dead_letters"`
	Sampled     int                   `json:"sampled_rows"`
	Whole       bool                  `json:"whole"`
	Columns     []previewedColumnView `json:"columns"`
	Error       string                `json:"error,omitempty"`
}

type recordView struct {
	Topic       string       `json:"topic"`
	Partition   int          `json:"partition"`
	Key         string       `json:"key"`
	Headers     []headerView `json:"headers"`
	Value       *string      `json:"value,omitempty"`
	ValueBase64 []byte       `json:"value_base64,omitempty"` // instead of value if that is binary
	// Fields is a binary value decoded to JSON.
	Fields json.RawMessage `json:"fields,omitempty"`
}

type headerView struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type previewedColumnView struct {
	Name       string          `json:"name"`
	Field      string          `json:"field"`
	Type       string          `json:"type"`
	Declared   bool            `json:"declared"`
	Hidden     bool            `json:"hidden"`
	Filled     int             `json:"filled"`
	Rejected   int             `json:"rejected"`
	Candidates []candidateView `json:"candidates"`
}

type candidateView struct {
	Type     string `json:"type"`
	Rejected int    `json:"rejected"`
}

func showPreviewJSON(w io.Writer, p *preview.Plan, v *preview.Result) error {
	view := previewView{
		Service: p.Call.Service, Stream: p.Call.Stream, Day: p.Call.Day, Topic: p.Topic.Name, TopicExists: p.Topic.Exists, Partitions: p.Topic.Partitions,
		Subject: v.Subject, SchemaID: v.SchemaID, Records: recordViews(v.Records), Letters: recordViews(v.Letters),
		Sampled: v.Sampled, Whole: v.Whole, Columns: []previewedColumnView{},
	}
	if v.Failure != nil {
		view.Error = v.Failure.Error()
	}
	for i := range v.Columns {
		c := &v.Columns[i]
		column := previewedColumnView{
			Name: c.Name, Field: c.Field, Type: c.Type.String(), Declared: c.Declared, Hidden: c.Hidden, Filled: c.Filled, Rejected: c.Rejected, Candidates: []candidateView{},
		}
		for _, candidate := range c.Candidates {
			column.Candidates = append(column.Candidates, candidateView{candidate.Type.String(), candidate.Rejected})
		}
		view.Columns = append(view.Columns, column)
	}
	return writeJSON(w, view)
}

func recordViews(records []preview.Record) []recordView {
	list := make([]recordView, len(records))
	for i := range records {
		r := &records[i]
		list[i] = recordView{Topic: r.Topic, Partition: r.Partition, Key: string(r.Key), Headers: []headerView{}, Fields: r.Readable}
		for _, h := range r.Headers {
			list[i].Headers = append(list[i].Headers, headerView{h.Key, string(h.Value)})
		}
		if text := string(r.Value); !r.Binary {
			list[i].Value = &text
		} else {
			list[i].ValueBase64 = r.Value
		}
		if r.Null {
			list[i].Value = nil
		}
	}
	return list
}
