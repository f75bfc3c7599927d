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

// Profiles keeps the state of streams of changes; the owner implements it.
type Profiles interface {
	// Load returns a stream's record, with a seed, and its marks as far as the ledger still has them.
	Load(ctx context.Context, stream string) (*ledger.Profiles, profiles.Marks, error)
	// Scan visits every record of the stream's topic, once everything that was written to it is acknowledged.
	Scan(ctx context.Context, stream string, visit func(partition int, r *recordbatch.Record)) error
	// Begin notes over how many partitions keys are spread, and that a call is about to be made. It returns the call's number, which is
	// higher than above.
	Begin(ctx context.Context, call *schema.Export, partitions, above int) (n int, err error)
	// Settle calls decide to evaluate a snapshot, and returns the decision once the ledger has it.
	Settle(ctx context.Context, stream string, decide func(*ledger.Profiles) *profiles.Decision) (*profiles.Decision, error)
	// Deleted notes that so many tombstones are written, once they are acknowledged.
	Deleted(ctx context.Context, stream string, n int) error
}

// changes is the additional state of an export of a stream of changes.
type changes struct {
	scan     *profiles.Scan // nil until the topic was read
	evidence profiles.Evidence
	answered bool // the answer's header line was read
	changed  int  // rows that the topic had otherwise
}

func (r *Runner) newChanges(s *Stream, job *Job) *changes {
	if !s.Changes || r.Profiles == nil || job.Replay != nil || job.Call.Probe {
		return nil
	}
	return new(changes)
}

// scanTopic reads what the topic holds, before the call is made, with a number that no record of the topic has.
func (e *Export) scanTopic(ctx context.Context) error {
	record, marks, err := e.runner.Profiles.Load(ctx, e.stream.Name)
	if err != nil {
		return e.interrupted(err)
	}
	scan := profiles.NewScan(e.Call.Service, e.stream.Name, record.Seed, record.AgainFrom, len(e.senders), marks)
	if record.Complete != nil {
		scan.State.Reserve(record.Complete.Profiles)
	}
	if err := e.runner.Profiles.Scan(ctx, e.stream.Name, scan.Add); err != nil {
		return e.interrupted(err)
	}
	if err := scan.Shared(); err != nil {
		return e.refuseTopic(schema.SharedTopic, err)
	}
	partitions, err := scan.Partitions(record.Partitions)
	if err != nil {
		return e.refuseTopic(schema.MisplacedKeys, err)
	}
	if more := len(e.senders) - partitions; more > 0 {
		e.runner.Log.Error("partitions were added to the topic of profiles: they stay empty, for a key must not move", "stream", e.stream.Name,
			"topic", e.stream.Topic, "partitions", len(e.senders), "used", partitions, "do", "nothing, or give the stream a new topic in STREAM_X_TOPIC to use them all")
	}
	n, err := e.runner.Profiles.Begin(ctx, &e.Call, partitions, scan.Highest)
	if err != nil {
		return e.interrupted(err)
	}
	e.Call.N = n
	e.senders = e.senders[:partitions]
	e.headers = newRecordHeaders(&e.stream.Headers, &e.Call, true)
	e.changes.scan = scan
	return nil
}

// publishChange publishes a row that the topic does not have. A *schema.BadRow is one that can't be published, or whose key came before.
func (e *Export) publishChange(row *schema.Row, key []byte, print schema.Fingerprint) error {
	c := e.changes
	verdict := c.scan.Meet(key, print)
	switch verdict {
	case profiles.Repeated, profiles.Duplicate:
		c.evidence.Repeated++
		if verdict == profiles.Duplicate {
			bad := row.Bad(schema.DuplicateKey, schema.OriginSchema, "the key came before", "another row of the same key stands before it in the snapshot")
			bad.Fingerprint = &print
			return bad
		}
		fallthrough
	case profiles.Known:
		e.sum.Duplicates++
		return nil
	case profiles.New, profiles.Changed, profiles.Again:
	}
	if verdict == profiles.Changed {
		c.changed++
	}
	e.headers.setOp(verdict.Op())
	err := e.append(row, key, dedup.Copy{Fingerprint: print})
	if err != nil {
		c.scan.Refused(key, verdict)
	}
	return err
}

// observeBad notes a row that hides its key.
func (c *changes) observeBad(bad *schema.BadRow) {
	if c != nil && bad != nil && profiles.Unreadable(bad) {
		c.evidence.Unreadable++
	}
}

// observeEnd notes what the body shows of its end. It was read as far as it goes.
func (e *Export) observeEnd(body Body) {
	if e.changes == nil {
		return
	}
	request := body.Request()
	e.changes.answered = true
	e.changes.evidence.Framed = body.Framed()
	e.changes.evidence.Request = requestHash(request.URL, request.Body, string(e.stream.Key), e.stream.Identity())
}

// requestHash covers all that decides which profiles a snapshot has, and how its rows look.
func requestHash(parts ...string) string {
	sum := xxh3.HashString128(strings.Join(parts, "\x00")).Bytes()
	return hex.EncodeToString(sum[:])
}

// concludeSnapshot evaluates the snapshot, writes the decision to the ledger, and deletes profiles. err is how the rows have ended.
func (e *Export) concludeSnapshot(ctx context.Context, err error) error {
	c := e.changes
	failure, failed := errors.AsType[*schema.Failure](err)
	if c.scan == nil || !c.answered || err != nil && !failed || failed && failure.Class == schema.Cancelled {
		return err
	}
	c.evidence.Ended, c.evidence.Rows = err == nil, e.sum.Rows()
	decision, err2 := e.runner.Profiles.Settle(ctx, e.stream.Name, func(before *ledger.Profiles) *profiles.Decision {
		return c.scan.Decide(e.stream.Deletes, before, profiles.Snapshot{N: e.Call.N, Started: e.Started, Now: time.Now().UTC(), Evidence: c.evidence})
	})
	if err2 != nil {
		return e.interrupted(err2)
	}
	c.scan = nil // it may be large
	if err != nil {
		return err
	}
	e.tellDecision(decision)
	if len(decision.Due) == 0 {
		return nil
	}
	return e.deleteProfiles(ctx, decision.Due)
}

// deleteProfiles writes the tombstones, each to the partition where its key lies.
func (e *Export) deleteProfiles(ctx context.Context, due []*profiles.Mark) error {
	name := e.Call.ID()
	for _, m := range due {
		if err := e.deleteProfile(m, name); err != nil {
			return err
		}
	}
	return e.interrupted(e.runner.Profiles.Deleted(ctx, e.stream.Name, len(due)))
}

func (e *Export) deleteProfile(m *profiles.Mark, export string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.id = schema.AppendID(e.id[:0], schema.DeleteFingerprint(export, m.Key), 0)
	if err := e.senders[m.Partition].Append(m.Key, nil, e.headers.deletion(e.id)); err != nil {
		return err
	}
	e.sum.Deleted++
	return nil
}

// tellDecision says in the log what a snapshot means for those that it lacks.
func (e *Export) tellDecision(d *profiles.Decision) {
	if n := e.changes.changed; n >= 10 && n > d.Record.Present/2 {
		e.runner.Log.Warn("most profiles have changed at once", "stream", e.stream.Name, "export", e.Call.N, "changed", n, "present", d.Record.Present,
			"do", "nothing, if the stream's settings were changed; else find out whether the API has a column more or less: consumers get all of these profiles")
	}
	if d.Record.Withheld == 0 {
		return
	}
	e.runner.Log.Warn("profiles are missing from a snapshot, and are not deleted", "stream", e.stream.Name, "export", e.Call.N, "absent", d.Absent, "why", d.Why,
		"do", d.Why.Advice(e.stream.Name))
}

// refuseTopic is the failure of an export whose topic can't be kept equal to a snapshot.
func (e *Export) refuseTopic(code schema.Code, err error) error {
	rule := schema.RuleOf(code)
	return &schema.Failure{Code: code, Class: rule.Class, Origin: schema.OriginKafka, Export: e.Call, Message: err.Error(),
		Detail: e.Call.String() + ": topic " + e.stream.Topic + ": " + err.Error() + "; " + rule.Advice, Err: err}
}

// interrupted makes a failure of a shutdown; any other error is returned as it is.
func (e *Export) interrupted(err error) error {
	if !errors.Is(err, context.Canceled) {
		return err
	}
	return &schema.Failure{Code: schema.Connection, Class: schema.Cancelled, Origin: schema.OriginKafka, Export: e.Call, Message: err.Error(),
		Detail: e.Call.String() + ": " + err.Error(), Err: err}
}
