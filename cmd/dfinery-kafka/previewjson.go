package main

import (
	"io"

	"dfinery-kafka/pipeline/preview"
	"dfinery-kafka/schema"
)

// previewView is a preview as JSON.
type previewView struct {
	Service     string           `json:"service_id"`
	Stream      string           `json:"stream"`
	Day         schema.Day       `json:"day"`
	Topic       string           `json:"topic"`
	TopicExists bool             `json:"topic_exists"`
	Partitions  int              `json:"partitions"`
	Subject     string           `json:"subject,omitempty"`
	Schema      string           `json:"schema,omitempty"`
	SchemaID    int              `json:"schema_id,omitempty"`
	Records     []preview.Record `json:"records"`
	Letters     []preview.Record `json:"dead_letters"`
	Sampled     int              `json:"sampled_rows"`
	Whole       bool             `json:"whole"`
	Columns     []preview.Column `json:"columns"`
	Error       string           `json:"error,omitempty"`
}

func showPreviewJSON(w io.Writer, p *preview.Plan, v *preview.Result) error {
	view := previewView{
		Service: p.Call.Service, Stream: p.Call.Stream, Day: p.Call.Day, Topic: p.Topic.Name, TopicExists: p.Topic.Exists, Partitions: p.Topic.Partitions,
		Subject: v.Subject, Schema: v.Schema, SchemaID: v.SchemaID, Records: v.Records, Letters: v.Letters, Sampled: v.Sampled, Whole: v.Whole, Columns: v.Columns,
	}
	if v.Failure != nil {
		view.Error = v.Failure.Error()
	}
	return writeJSON(w, view)
}
