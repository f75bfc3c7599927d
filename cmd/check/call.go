package check

import (
	"context"
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

// call spends one export call of the first stream: of yesterday, which is over and has most surely rows. Its rows go nowhere. What
// the ledger knows of quota, breaker and token is heeded, but a call of ours can't be entered there, for the owner alone writes it: it
// learns of the call by the limits that its own next answer names.
func (c *Check) call(ctx context.Context) {
	source, err := connector.NewSource(c.Client, c.Policy, c.state)
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
		c.add(Warn, "call", detail, "try again later; dfinery-kafka status tells more")
		return
	}
	e := c.sample()
	download, err := permit.Export(ctx, e)
	if err != nil {
		c.callFailed(err)
		return
	}
	defer func() { _ = download.Close() }()
	columns := download.Columns()
	seen, err := look(download, columns, c.Config.DFINERY.Timezone.Location)
	c.add(OK, "call", fmt.Sprintf("one call was spent: %s, %s looked at; the owner learns of it by its own next call", e, rowCount(seen.rows, seen.whole)))
	c.columns(e, columns)
	c.keyColumns(e, columns)
	if err != nil {
		c.callFailed(err)
		return
	}
	c.toDate(e, seen)
	q := source.Status(time.Now()).Quota
	c.add(OK, "call limits", fmt.Sprintf("%d of %d calls are left in this hour, as far as the ledger and the answer's headers say", q.Remaining, q.Limit))
}

// columns names those that came, unless one that is to be hidden is missing: then the names may be cells, or of hidden columns.
func (c *Check) columns(e schema.Export, columns *schema.Columns) {
	i := slices.IndexFunc(c.Service.Streams, func(s transfer.Stream) bool { return s.Name == e.Stream })
	if missing := c.Service.Streams[i].Privacy.Missing(columns.Names); len(missing) > 0 {
		c.add(Warn, "call columns", fmt.Sprintf("%d, without %s, which the stream is to hide", len(columns.Names), strings.Join(missing, ", ")),
			"compare the names in "+config.StreamVariable(e.Stream, "DROP")+", _HASH and _MASK with the columns that DFINERY registers")
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

// keyColumns says whether the columns came by which consumers join rows with their own data.
func (c *Check) keyColumns(e schema.Export, columns *schema.Columns) {
	c.add(OK, "key column", fmt.Sprintf("%s came: it is the key of stream %s", e.Key, e.Stream)) // without it the call has failed
	const external = "df_external_id"
	switch came := columns.Index(external) >= 0; {
	case e.Kind != schema.UserProfile:
	case came:
		c.add(OK, external, "came: the profiles hold the customer's own user id")
	case e.Filter.Identities == "":
		c.add(Warn, external, "did not come: the profiles do not hold the customer's own user id", config.StreamVariable(e.Stream, "IDENTITIES")+"=all asks for it; it is personal data that consumers of the topic will see")
	default:
		c.add(Warn, external, fmt.Sprintf("did not come, though %s is %s", config.StreamVariable(e.Stream, "IDENTITIES"), e.Filter.Identities), "ask DFINERY which identities the service has; "+config.StreamVariable(e.Stream, "PROPERTIES")+" may leave it out")
	}
}

func (c *Check) sample() schema.Export {
	streams := c.Service.Streams
	wanted := func(s config.Stream) bool { return s.Export == schema.Event }
	if c.Stream != "" {
		wanted = func(s config.Stream) bool { return s.Name == c.Stream }
	}
	s := &streams[max(0, slices.IndexFunc(c.Config.Streams, wanted))]
	day := schema.DayOf(time.Now(), c.Config.DFINERY.Timezone.Location)
	if s.Kind == schema.Event {
		day--
	}
	call := schema.Export{Service: c.Service.ID, Stream: s.Name, Kind: s.Kind, Filter: s.Filter, Key: s.Key, Day: day, N: 1, Attempt: 1}
	s.SetPrivacy(&call)
	return call
}

func (c *Check) callFailed(err error) {
	failure, ok := errors.AsType[*schema.Failure](err)
	if !ok {
		c.add(Fail, "call", err.Error())
		return
	}
	remedy := "see the table of failures in the README"
	switch failure.Class {
	case schema.Unauthorized:
		remedy = "check DFINERY_EXPORT_TOKEN and DFINERY_SERVICE_ID: it must be the service's Export token"
	case schema.Throttled:
		remedy = "the quota is spent: try again when it resets; DFINERY_CALLS_PER_HOUR must not be more than the service has"
	case schema.Refused:
		remedy = "check the stream's variables: STREAM_…_KEY and its filters"
	case schema.Trouble:
		remedy = "check DFINERY_BASE_URL and the way to it"
	}
	c.add(Fail, "call", "one call was spent and failed: "+failure.Error(), remedy)
}

// seen is what the rows of the sample tell.
type seen struct {
	rows  int
	whole bool
	days  map[schema.Day]int // of df_server_datetime
}

// enough rows show what is to be seen; a day may have millions.
const enough = 10_000

type rows interface {
	Next() (*schema.Row, error)
}

func look(body rows, columns *schema.Columns, zone *time.Location) (seen, error) {
	s := seen{days: map[schema.Day]int{}}
	at := columns.Index("df_server_datetime")
	for s.rows < enough {
		row, err := body.Next()
		var bad *schema.BadRow
		switch {
		case err == io.EOF: // not errors.Is: a failure may wrap the transport's
			s.whole = true
			return s, nil
		case errors.As(err, &bad):
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

// toDate tells what the sample says of to_date. An inclusive range that is empty proves nothing: the day may have had no event.
func (c *Check) toDate(e schema.Export, s seen) {
	const variable = "DFINERY_TO_DATE"
	exclusive := c.Config.DFINERY.ToDate == config.Exclusive
	switch {
	case e.Kind != schema.Event:
		return
	case !exclusive && s.rows > 0:
		c.add(OK, "to_date", fmt.Sprintf("looks inclusive: the range %s to %s has rows, as %s=inclusive says", e.Day, e.Day, variable))
	case !exclusive:
		c.add(Warn, "to_date", fmt.Sprintf("the range %s to %s has no rows: the day had none, or to_date is exclusive", e.Day, e.Day), "if the day had events, set "+variable+"=exclusive")
	case s.days[e.Day+1] > 0:
		c.add(Fail, "to_date", fmt.Sprintf("looks inclusive: %d rows of %s came with the range %s to %s, and %s is exclusive", s.days[e.Day+1], e.Day+1, e.Day, e.Day+1, variable), "set "+variable+"=inclusive")
	case s.rows > 0:
		c.add(OK, "to_date", fmt.Sprintf("looks exclusive: the range %s to %s has no rows of %s, as %s=exclusive says", e.Day, e.Day+1, e.Day+1, variable))
	default:
		c.add(Warn, "to_date", fmt.Sprintf("the range %s to %s has no rows: nothing can be said of to_date", e.Day, e.Day+1))
	}
}
