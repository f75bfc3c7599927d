package preview

import (
	"encoding/json"
	"time"

	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// Record is a record that would be published.
type Record struct {
	Topic     string   `json:"topic"`
	Partition int      `json:"partition"`
	Key       string   `json:"key"`
	Headers   []Header `json:"headers"`
	// Value is a text, or Binary is not empty, or there is no value at all. Fields are those of
	// a binary value, as typed JSON.
	Value  *string         `json:"value,omitempty"`
	Binary []byte          `json:"value_base64,omitempty"`
	Fields json.RawMessage `json:"fields,omitempty"`
}

// Header is a header of a record.
type Header struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// capture collects the records that a sender of one partition would send.
type capture struct {
	topic     *Topic
	partition int
	codec     *recordbatch.Codec
	into      *[]Record
	readable  func(*schema.Row) []byte // returns a row's value as typed JSON; nil: values are text
	batch     recordbatch.Builder
}

// capture returns a capture for each partition of a topic.
func (p *Plan) capture(topic *Topic, into *[]Record) []transfer.Appender {
	list := make([]transfer.Appender, topic.Partitions)
	readable := p.readable()
	for i := range list {
		list[i] = &capture{topic: topic, partition: i, codec: p.Codec, into: into, readable: readable}
	}
	return list
}

// Append implements transfer.Appender, with the errors of a *producer.Sender.
func (c *capture) Append(key []byte, value recordbatch.Value, headers []recordbatch.Header) error {
	c.batch.Reset()
	size, err := c.batch.Append(key, value, headers)
	if err != nil {
		return err
	}
	if size > c.topic.MaxBatch {
		encoded, err := c.batch.Encode(nil, c.codec, recordbatch.Stamp{Time: time.Now()})
		if err != nil {
			return err
		}
		if len(encoded) > c.topic.MaxBatch {
			return &producer.TooLargeError{Topic: c.topic.Name, Bytes: len(encoded), Limit: c.topic.MaxBatch}
		}
	}
	r := Record{Topic: c.topic.Name, Partition: c.partition, Key: string(key), Headers: []Header{}}
	if value != nil {
		bytes, err := value.Append(nil)
		if err != nil {
			return err
		}
		if of, ok := value.(transfer.RowValue); ok && c.readable != nil {
			r.Binary, r.Fields = bytes, c.readable(of.Row())
		} else {
			text := string(bytes)
			r.Value = &text
		}
	}
	for _, h := range headers {
		r.Headers = append(r.Headers, Header{Key: string(h.Key), Value: string(h.Value)})
	}
	*c.into = append(*c.into, r)
	return nil
}

// TryFlush implements transfer.Appender.
func (c *capture) TryFlush() bool { return true }

// readable returns a function that shows a row's binary value as typed JSON; nil if
// values are text.
func (p *Plan) readable() func(*schema.Row) []byte {
	v := p.Stream.Values
	if v == nil || !v.Format.Registered() {
		return nil
	}
	options := v.Options
	options.Format = encoding.FormatTypedJSON
	options.Nulls = encoding.Nulls{Publish: v.NullBadValues, Count: func() {}}
	var under *schema.Columns
	var typed *encoding.Typed
	return func(row *schema.Row) []byte {
		var err error
		if under != row.Columns {
			under = row.Columns
			if typed, err = encoding.NewTyped(&options, p.Schemas, under); err != nil {
				return nil // none is needed
			}
		}
		text, err := typed.Append(nil, row)
		if err != nil {
			return nil
		}
		return text
	}
}
