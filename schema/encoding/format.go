package encoding

import "fmt"

// Format is the form of a record's value: STREAM_X_FORMAT.
type Format string

// The formats.
const (
	FormatJSON       Format = "json"        // every value a string, as in the CSV
	FormatTypedJSON  Format = "json-typed"  // without a registry
	FormatJSONSchema Format = "json-schema" // typed JSON with a schema in a registry
	FormatAvro       Format = "avro"
	FormatProtobuf   Format = "protobuf"
)

// Typed reports whether the format has types.
func (f Format) Typed() bool { return f != "" && f != FormatJSON }

// Registered reports whether the format's schemas are stored in a registry.
func (f Format) Registered() bool { return f.Typed() && f != FormatTypedJSON }

// SchemaText returns the schema of the first fields of a stream in the format's
// schema language. The text depends only on format, record and fields.
func (f Format) SchemaText(record string, fields []Field) (string, error) {
	var text []byte
	var err error
	switch f {
	case FormatAvro:
		text, err = AvroSchema(record, fields)
	case FormatJSONSchema:
		text, err = JSONSchema(record, fields)
	case FormatProtobuf:
		text = ProtobufSchema(record, fields)
	case FormatJSON, FormatTypedJSON:
		err = fmt.Errorf("the format %s has no schema", f)
	}
	return string(text), err
}

// SubjectRule is the naming strategy for subjects: STREAM_X_SUBJECT.
type SubjectRule string

// The rules, as in Confluent's serializers (TopicNameStrategy,
// RecordNameStrategy, TopicRecordNameStrategy).
const (
	SubjectTopic       SubjectRule = "topic"
	SubjectRecord      SubjectRule = "record"
	SubjectTopicRecord SubjectRule = "topic-record"
)

// Name returns the subject of a topic's values.
func (r SubjectRule) Name(topic, record string) string {
	namespace, name := mapRecordName(record)
	if namespace != "" {
		name = namespace + "." + name
	}
	switch r {
	case SubjectRecord:
		return name
	case SubjectTopicRecord:
		return topic + "-" + name
	case SubjectTopic:
	}
	return topic + "-value"
}

// ContentType is the media type of the values.
func (f Format) ContentType() string {
	switch f {
	case FormatAvro:
		return "application/avro"
	case FormatProtobuf:
		return "application/protobuf"
	case FormatJSON, FormatTypedJSON, FormatJSONSchema:
	}
	return "application/json"
}
