package transfer

import (
	"dfinery-kafka/pipeline/profiles"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// HeaderOptions are the headers that a stream's records have in addition to id and
// export.
type HeaderOptions struct {
	// Columns are columns whose cells become headers of the same name. An empty cell
	// adds no header.
	Columns []string
	// CloudEvents adds the attributes of CloudEvents 1.0 in the binary mode of
	// its Kafka protocol binding.
	CloudEvents bool
	// ContentType is that of the values, for CloudEvents.
	ContentType string
}

// recordHeaders makes the headers of one export's records. It is not safe for
// concurrent use.
type recordHeaders struct {
	list  []recordbatch.Header // those of the record made last; the first ones are the same for all
	fixed int

	columns []headerColumn
	events  *cloudEvents // nil without CloudEvents
	op      int          // the index of the header "op"; 0: there is none
}

type headerColumn struct {
	name  []byte
	index int
}

// cloudEvents are the attributes that differ from row to row.
type cloudEvents struct {
	event, time int    // columns, or -1
	fallback    []byte // the type of a row without an event name
	moment      []byte // scratch memory
}

const serverTimeColumn = "df_server_datetime"

// The indexes of the headers that every record has.
const (
	headerID = iota
	headerExport
)

// newRecordHeaders makes the headers of an export. With changes, each record has a
// header "op".
func newRecordHeaders(o *HeaderOptions, call *schema.Export, changes bool) recordHeaders {
	h := recordHeaders{list: []recordbatch.Header{headerID: {Key: []byte("id")}, headerExport: {Key: []byte("export"), Value: []byte(call.ID())}}}
	if changes {
		h.op = len(h.list)
		h.list = append(h.list, recordbatch.Header{Key: []byte("op"), Value: []byte(profiles.New.Op())})
	}
	if o.CloudEvents {
		h.list = append(h.list,
			recordbatch.Header{Key: []byte("ce_specversion"), Value: []byte("1.0")},
			recordbatch.Header{Key: []byte("ce_source"), Value: []byte("/" + call.DayKey())},
			recordbatch.Header{Key: []byte("content-type"), Value: []byte(o.ContentType)})
		h.events = &cloudEvents{fallback: []byte(call.Stream)}
		if call.Kind.Snapshot() {
			h.events.fallback = []byte(call.Kind)
		}
	}
	h.fixed = len(h.list)
	return h
}

// setColumns finds the columns of the headers in a header line.
func (h *recordHeaders) setColumns(o *HeaderOptions, columns *schema.Columns) {
	h.columns = h.columns[:0]
	for _, name := range o.Columns {
		if i := columns.Index(name); i >= 0 {
			h.columns = append(h.columns, headerColumn{name: []byte(name), index: i})
		}
	}
	if h.events != nil {
		h.events.event, h.events.time = columns.Index(eventColumn), columns.Index(serverTimeColumn)
	}
}

// of returns the headers of a row, valid until the next call.
func (h *recordHeaders) of(row *schema.Row, id []byte) []recordbatch.Header {
	h.list = h.list[:h.fixed]
	h.list[headerID].Value = id
	for i := range h.columns {
		if cell := row.Cell(h.columns[i].index); len(cell) > 0 {
			h.list = append(h.list, recordbatch.Header{Key: h.columns[i].name, Value: cell})
		}
	}
	if h.events != nil {
		h.addEvent(row, id)
	}
	return h.list
}

// setOp sets the header "op" of the next record.
func (h *recordHeaders) setOp(op string) { h.list[h.op].Value = []byte(op) }

// deletion returns the headers of a tombstone, valid until the next call.
func (h *recordHeaders) deletion(id []byte) []recordbatch.Header {
	h.list = h.list[:h.fixed]
	h.setOp(profiles.OpDelete)
	h.list[headerID].Value = id
	if h.events != nil {
		h.list = append(h.list, recordbatch.Header{Key: ceID, Value: id}, recordbatch.Header{Key: ceType, Value: h.events.fallback})
	}
	return h.list
}

var (
	ceID   = []byte("ce_id")
	ceType = []byte("ce_type")
	ceTime = []byte("ce_time")
)

func (h *recordHeaders) addEvent(row *schema.Row, id []byte) {
	e := h.events
	name := e.fallback
	if e.event >= 0 {
		if cell := row.Cell(e.event); len(cell) > 0 {
			name = cell
		}
	}
	h.list = append(h.list, recordbatch.Header{Key: ceID, Value: id}, recordbatch.Header{Key: ceType, Value: name})
	if e.time < 0 {
		return
	}
	var ok bool
	if e.moment, ok = encoding.AppendTimestamp(e.moment[:0], row.Cell(e.time)); ok {
		h.list = append(h.list, recordbatch.Header{Key: ceTime, Value: e.moment})
	}
}
