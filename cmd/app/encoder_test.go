package app_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// refusing is an encoder that fails for some rows, after it has written a part of them.
type refusing struct {
	encoding.JSON
	t       *testing.T
	columns *schema.Columns
}

func (e *refusing) Header(ctx context.Context, columns *schema.Columns) error {
	e.columns = columns
	return e.JSON.Header(ctx, columns)
}

func (e *refusing) Append(dst []byte, row *schema.Row) ([]byte, error) {
	if e.columns == nil || row.Columns != e.columns {
		e.t.Error("a row comes before its header")
	}
	value, err := e.JSON.Append(dst, row)
	if len(value)%7 != 0 {
		return value, err
	}
	return value[:len(value)-3], row.Bad(schema.InvalidUTF8, schema.OriginSchema, "refused", "refused by the encoder")
}

// TestEncoderRefusesRows: a row that its encoder refuses is a dead letter and leaves nothing in its batch; it is published once the encoder takes it.
func TestEncoderRefusesRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 8, RowsPerDay: 400, Duplicates: 0.05}, Limits: exporttest.Limits{PerHour: -1}})
		w.config.Streams[0].Start.Back = 2
		w.service = func(s *pipeline.Service) {
			s.Streams[0].NewEncoder = func() encoding.Encoder { return &refusing{t: t} }
		}
		w.run(time.Minute)
		published, letters := len(w.records("events")), len(w.records("dead"))
		if letters < 100 || published < 700 {
			t.Errorf("%d rows published and %d dead letters, want about a seventh of 1,200 refused", published, letters)
		}
		w.service = nil
		w.run(7 * time.Hour)
		w.compare(w.since(2))
	})
}
