package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/connector"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// call makes one export call for yesterday, which is over and most likely has rows. The rows
// are discarded. The call respects the quota, breaker and token state in the ledger, but it
// can't be recorded there, as only the owner writes the ledger. The owner notices the call by
// the rate headers of its own next answer.
func (c *Check) call(ctx context.Context, state json.RawMessage) {
	source, err := connector.NewSource(c.Client, c.Policy, state)
	if err != nil {
		c.add(Fail, "call", "the source's state in the ledger can't be read: "+err.Error())
		return
	}
	permit, wait := source.Reserve(time.Now(), 0)
	if permit == nil {
		detail := "was not made: the service waits for " + string(wait.For)
		if !wait.Until.IsZero() {
			detail += " until " + wait.Until.UTC().Format(time.RFC3339)
		}
		c.add(Warn, "call", detail, "try again later; dfinery-kafka status shows more")
		return
	}
	e := c.sample()
	download, err := permit.Export(ctx, e)
	if err != nil {
		c.callFailed(e.Stream, err)
		return
	}
	defer func() { _ = download.Close() }()
	columns := download.Columns()
	seen, err := readSample(download, columns, c.Config.DFINERY.Timezone.Location)
	c.add(OK, "call", fmt.Sprintf("one call was made: %s, %s read; the owner notices it at its own next call", e, rowCount(seen.rows, seen.whole)))
	c.columns(e, columns)
	c.keyColumns(e, columns)
	if err != nil {
		c.callFailed(e.Stream, err)
		return
	}
	c.toDate(e, seen)
	q := source.Status(time.Now()).Quota
	c.add(OK, "call limits", fmt.Sprintf("%d of %d calls are left this hour, according to the ledger and the answer's headers", q.Remaining, q.Limit))
}

// columns lists the columns of the answer, unless one that must be hidden is missing: the names
// may then be cells, or renamed hidden columns.
func (c *Check) columns(e schema.Export, columns *schema.Columns) {
	if missing := transfer.Named(c.Service.Streams, e.Stream).Privacy.Missing(columns.Names); len(missing) > 0 {
		c.add(Warn, "call columns", fmt.Sprintf("%d, without %s, which the stream must hide", len(columns.Names), strings.Join(missing, ", ")),
			"check the names in "+schema.StreamVariable(e.Stream, "DROP")+", _HASH and _MASK against the columns registered at DFINERY")
		return
	}
	c.add(OK, "call columns", fmt.Sprintf("%d: %s", len(columns.Names), strings.Join(columns.Names, ", ")))
}

func rowCount(n int, whole bool) string {
	if whole {
		return fmt.Sprintf("all its %d rows", n)
	}
	return fmt.Sprintf("its first %d rows", n)
}

// keyColumns reports whether the answer has the columns that consumers use to join rows with
// their own data.
func (c *Check) keyColumns(e schema.Export, columns *schema.Columns) {
	c.add(OK, "key column", fmt.Sprintf("%s is present: it is the key of stream %s", e.Key, e.Stream)) // without it the call has failed
	const external = "df_external_id"
	switch came := columns.Index(external) >= 0; {
	case e.Kind != schema.UserProfile:
	case came:
		c.add(OK, external, "is present: profiles contain the customer's own user id")
	case e.Filter.Identities == "":
		c.add(Warn, external, "is missing: profiles do not contain the customer's own user id", schema.StreamVariable(e.Stream, "IDENTITIES")+"=all requests it; it is personal data that consumers of the topic will see")
	default:
		c.add(Warn, external, fmt.Sprintf("is missing, although %s is %s", schema.StreamVariable(e.Stream, "IDENTITIES"), e.Filter.Identities), "ask DFINERY which identities the service has; "+schema.StreamVariable(e.Stream, "PROPERTIES")+" may exclude it")
	}
}

func (c *Check) sample() schema.Export {
	streams := c.Service.Streams
	wanted := func(s config.Stream) bool { return !s.Export.Snapshot() }
	if c.Stream != "" {
		wanted = func(s config.Stream) bool { return s.Name == c.Stream }
	}
	s := &streams[max(0, slices.IndexFunc(c.Config.Streams, wanted))]
	day := schema.DayOf(time.Now(), c.Config.DFINERY.Timezone.Location)
	if !s.Kind.Snapshot() {
		day--
	}
	call := schema.Export{Service: c.Service.ID, Stream: s.Name, Kind: s.Kind, Filter: s.Filter, Key: s.Key, Day: day, N: 1, Attempt: 1}
	s.SetPrivacy(&call)
	return call
}

func (c *Check) callFailed(stream string, err error) {
	failure, ok := errors.AsType[*schema.Failure](err)
	if !ok {
		c.add(Fail, "call", err.Error())
		return
	}
	remedy := "see the table of failures in connector/README.md"
	switch failure.Class {
	case schema.Unauthorized:
		remedy = "check DFINERY_EXPORT_TOKEN and DFINERY_SERVICE_ID: it must be the service's Export token"
	case schema.Throttled:
		remedy = "the quota is used up: try again after its reset; DFINERY_CALLS_PER_HOUR must not exceed the service's quota"
	case schema.Refused:
		remedy = "check the stream's variables: " + schema.StreamVariable(stream, "KEY") + " and its filters"
	case schema.Trouble:
		remedy = "check DFINERY_BASE_URL and the network"
	}
	c.add(Fail, "call", "one call was made and failed: "+failure.Error(), remedy)
}

// sampled is what the rows of the sample show.
type sampled struct {
	rows  int
	whole bool
	days  map[schema.Day]int // of df_server_datetime
}

// maxSample limits how many rows are read; a day may have millions.
const maxSample = 10_000

type rows interface {
	Next() (*schema.Row, error)
}

func readSample(body rows, columns *schema.Columns, zone *time.Location) (sampled, error) {
	s := sampled{days: map[schema.Day]int{}}
	at := columns.Index("df_server_datetime")
	for s.rows < maxSample {
		row, err := body.Next()
		_, bad := errors.AsType[*schema.BadRow](err)
		switch {
		case err == io.EOF: // not errors.Is: a failure may wrap the transport's
			s.whole = true
			return s, nil
		case bad:
			continue
		case err != nil:
			return s, err
		}
		s.rows++
		if at < 0 {
			continue
		}
		if arrived, err := time.Parse("2006-01-02T15:04:05.999Z07:00", string(row.Cell(at))); err == nil {
			s.days[schema.DayOf(arrived, zone)]++
		}
	}
	return s, nil
}

// toDate reports whether to_date looks inclusive. An empty inclusive range proves nothing: the
// day may have had no events.
func (c *Check) toDate(e schema.Export, s sampled) {
	const variable = "DFINERY_TO_DATE"
	exclusive := c.Config.DFINERY.ToDate == config.Exclusive
	switch {
	case e.Kind.Snapshot():
		return
	case !exclusive && s.rows > 0:
		c.add(OK, "to_date", fmt.Sprintf("looks inclusive: the range %s to %s has rows, which agrees with %s=inclusive", e.Day, e.Day, variable))
	case !exclusive:
		c.add(Warn, "to_date", fmt.Sprintf("the range %s to %s has no rows: the day had none, or to_date is exclusive", e.Day, e.Day), "if the day had events, set "+variable+"=exclusive")
	case s.days[e.Day+1] > 0:
		c.add(Fail, "to_date", fmt.Sprintf("looks inclusive: %d rows of %s were returned for the range %s to %s, but %s is exclusive", s.days[e.Day+1], e.Day+1, e.Day, e.Day+1, variable), "set "+variable+"=inclusive")
	case s.rows > 0:
		c.add(OK, "to_date", fmt.Sprintf("looks exclusive: the range %s to %s has no rows of %s, which agrees with %s=exclusive", e.Day, e.Day+1, e.Day+1, variable))
	default:
		c.add(Warn, "to_date", fmt.Sprintf("the range %s to %s has no rows: this proves nothing about to_date", e.Day, e.Day+1))
	}
}
