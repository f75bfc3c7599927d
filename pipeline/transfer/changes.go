package transfer

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/zeebo/xxh3"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/profiles"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// Profiles stores the state of streams with MODE=changes; the owner implements it.
type Profiles interface {
	// Load returns a stream's record, with a seed, and those of its marks that the
	// ledger still has.
	Load(ctx context.Context, stream string) (*ledger.Profiles, profiles.Marks, error)
	// Scan visits all records of the stream's topic, after everything written to it is
	// acknowledged.
	Scan(ctx context.Context, stream string, visit func(partition int, r *recordbatch.Record)) error
	// Begin stores over how many partitions keys are distributed, and that a call is
	// about to be made. It returns the call's number, which is higher than above.
	Begin(ctx context.Context, call *schema.Export, partitions, above int) (n int, err error)
	// RecordDecision calls decide to evaluate a snapshot, and returns the decision once the
	// ledger has it.
	RecordDecision(ctx context.Context, stream string, decide func(*ledger.Profiles) *profiles.Decision) (*profiles.Decision, error)
	// Deleted records that this number of tombstones is written, once they are
	// acknowledged.
	Deleted(ctx context.Context, stream string, n int) error
}

// changes is the part of an export of a stream of changes that compares the snapshot
// with the topic.
type changes struct {
	runner   *shared
	stream   *Stream
	call     *schema.Export
	scan     *profiles.Scan // nil until the topic has been read
	evidence profiles.Evidence
	answered bool // the answer's header line was read
	changed  int  // rows that the topic had otherwise
}

func (r *Runner) newChanges(s *Stream, e *Export) *changes {
	if !s.Changes || r.Profiles == nil || e.Replay != nil || e.Call.Probe {
		return nil
	}
	return &changes{runner: &r.shared, stream: s, call: &e.Call}
}

// scanTopic reads what the topic holds, before the call is made. It returns how many of
// the topic's partitions keys are spread over, and the call's number, which no record
// of the topic has.
func (c *changes) scanTopic(ctx context.Context, all int) (used, number int, err error) {
	keeper, name := c.runner.Profiles, c.stream.Name
	record, marks, err := keeper.Load(ctx, name)
	if err != nil {
		return 0, 0, interrupted(c.call, err)
	}
	scan := profiles.NewScan(c.call.Service, name, record.Seed, record.AgainFrom, all, marks)
	if record.Complete != nil {
		scan.State.Reserve(record.Complete.Profiles)
	}
	if err := keeper.Scan(ctx, name, scan.Add); err != nil {
		return 0, 0, interrupted(c.call, err)
	}
	if err := scan.Shared(); err != nil {
		return 0, 0, c.refuseTopic(schema.SharedTopic, err)
	}
	used, err = scan.Partitions(record.Partitions)
	if err != nil {
		return 0, 0, c.refuseTopic(schema.MisplacedKeys, err)
	}
	if all > used {
		c.runner.Log.Error("partitions were added to the topic of profiles: they remain empty, because a key must not move", "stream", name,
			"topic", c.stream.Topic, "partitions", all, "used", used, "do", "nothing, or set a new topic in "+schema.StreamVariable(name, "TOPIC")+" to use all partitions")
	}
	number, err = keeper.Begin(ctx, c.call, used, scan.Highest)
	if err != nil {
		return 0, 0, interrupted(c.call, err)
	}
	c.scan = scan
	return used, number, nil
}

// scanTopic reads what the topic holds, before the call is made.
func (e *Export) scanTopic(ctx context.Context) error {
	used, number, err := e.changes.scanTopic(ctx, len(e.records.senders))
	if err != nil {
		return err
	}
	e.Call.N = number
	e.records.senders = e.records.senders[:used]
	e.records.headers = newRecordHeaders(&e.stream.Headers, &e.Call, true)
	return nil
}

// publishChange publishes a row that the topic does not have. A *schema.BadRow is a row
// that can't be published, or whose key occurred before.
func (e *Export) publishChange(row *schema.Row, key []byte, fingerprint schema.Fingerprint) error {
	verdict := e.changes.compare(key, fingerprint)
	switch verdict {
	case profiles.Duplicate:
		bad := row.Bad(schema.DuplicateKey, schema.OriginSchema, "the key came before", "another row of the same key stands before it in the snapshot")
		bad.Fingerprint = &fingerprint
		return bad
	case profiles.Repeated, profiles.Known:
		e.sum.Duplicates++
		return nil
	case profiles.New, profiles.Changed, profiles.Again:
	}
	e.records.headers.setOp(verdict.Op())
	if err := e.records.append(row, key, dedup.Copy{Fingerprint: fingerprint}); err != nil {
		e.changes.scan.Refused(key, verdict)
		return err
	}
	e.sum.Published++
	return nil
}

// compare compares a row with the topic.
func (c *changes) compare(key []byte, fingerprint schema.Fingerprint) profiles.Verdict {
	verdict := c.scan.Compare(key, fingerprint)
	switch verdict {
	case profiles.Repeated, profiles.Duplicate:
		c.evidence.Repeated++
	case profiles.Changed:
		c.changed++
	case profiles.Known, profiles.New, profiles.Again:
	}
	return verdict
}

// observeBad counts a row whose key is unreliable.
func (c *changes) observeBad(bad *schema.BadRow) {
	if c != nil && bad != nil && profiles.Unreadable(bad) {
		c.evidence.Unreadable++
	}
}

// observeEnd records what the body shows about its end, after it was read completely.
func (c *changes) observeEnd(body Body) {
	if c == nil {
		return
	}
	request := body.Request()
	c.answered = true
	c.evidence.Framed = body.Framed()
	c.evidence.Request = requestHash(request.URL, request.Body, string(c.stream.Key), c.stream.Identity())
}

// requestHash covers everything that decides which profiles a snapshot has, and the
// content of its rows.
func requestHash(parts ...string) string {
	sum := xxh3.HashString128(strings.Join(parts, "\x00")).Bytes()
	return hex.EncodeToString(sum[:])
}

// evaluate evaluates the snapshot, writes the decision to the ledger, and returns which
// profiles are to be deleted. err is how the rows have ended, rows how many are good,
// and started when the call began.
func (c *changes) evaluate(ctx context.Context, err error, rows int, started time.Time) ([]*profiles.Mark, error) {
	failure, failed := errors.AsType[*schema.Failure](err)
	if c.scan == nil || !c.answered || err != nil && !failed || failed && failure.Class == schema.Cancelled {
		return nil, err
	}
	c.evidence.Ended, c.evidence.Rows = err == nil, rows
	decision, err2 := c.runner.Profiles.RecordDecision(ctx, c.stream.Name, func(before *ledger.Profiles) *profiles.Decision {
		return c.scan.Decide(c.stream.Deletes, before, profiles.Snapshot{N: c.call.N, Started: started, Now: time.Now().UTC(), Evidence: c.evidence})
	})
	if err2 != nil {
		return nil, interrupted(c.call, err2)
	}
	c.scan = nil // free its memory
	if err != nil {
		return nil, err
	}
	c.logDecision(decision)
	return decision.Due, nil
}

// finishSnapshot evaluates the snapshot and deletes the profiles that are due. err is the end
// of the rows.
func (e *Export) finishSnapshot(ctx context.Context, err error) error {
	due, err := e.changes.evaluate(ctx, err, e.sum.Rows(), e.Started)
	if err != nil || len(due) == 0 {
		return err
	}
	return e.deleteProfiles(ctx, due)
}

// deleteProfiles writes the tombstones, each to the partition of its key.
func (e *Export) deleteProfiles(ctx context.Context, due []*profiles.Mark) error {
	name := e.Call.ID()
	for _, m := range due {
		if err := e.deleteProfile(m, name); err != nil {
			return err
		}
	}
	return interrupted(&e.Call, e.runner.Profiles.Deleted(ctx, e.stream.Name, len(due)))
}

func (e *Export) deleteProfile(m *profiles.Mark, export string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.records.appendDelete(m, export); err != nil {
		return err
	}
	e.sum.Deleted++
	return nil
}

// logDecision logs if most profiles have changed, or deletes are withheld.
func (c *changes) logDecision(d *profiles.Decision) {
	if n := c.changed; n >= 10 && n > d.Record.Present/2 {
		c.runner.Log.Warn("most profiles have changed at once", "stream", c.stream.Name, "export", c.call.N, "changed", n, "present", d.Record.Present,
			"do", "nothing, if the stream's settings were changed; otherwise check whether the API added or removed a column: consumers receive all of these profiles")
	}
	if d.Record.Withheld == 0 {
		return
	}
	c.runner.Log.Warn("profiles are absent from a snapshot, but are not deleted", "stream", c.stream.Name, "export", c.call.N, "absent", d.Absent, "why", d.Why,
		"do", d.Why.Advice(c.stream.Name))
}

// refuseTopic is the failure of an export whose topic can't be kept equal to a
// snapshot.
func (c *changes) refuseTopic(code schema.Code, err error) error {
	f := c.call.Failure(code, schema.OriginKafka, "topic "+c.stream.Topic+": "+err.Error())
	f.Message, f.Err = err.Error(), err
	return f
}
