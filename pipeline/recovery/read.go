package recovery

import (
	"context"
	"fmt"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// Read executes the plan.
func Read(ctx context.Context, log Log, plan Plan) (*Result, error) {
	r := &reader{Plan: plan, log: log, found: map[ledger.DayName]*found{}, result: &Result{
		Days: map[ledger.DayName]*Day{}, Positions: map[recordbatch.TopicPartition]recordbatch.Position{}, Carried: map[recordbatch.TopicPartition]ledger.Mark{},
	}}
	replaced := r.carry()
	var fenced []recordbatch.TopicPartition
	for _, p := range plan.Partitions {
		if plan.Fenced(p) {
			fenced = append(fenced, p)
		}
	}
	logs, err := r.bounds(ctx, time.Time{}, fenced...)
	if err != nil {
		return nil, err
	}
	var parts []*part
	for _, log := range logs {
		p, err := r.compareMark(ctx, log)
		if err != nil {
			return nil, err
		}
		replaced[p.at.Topic] = replaced[p.at.Topic] || p.replaced
		parts = append(parts, p)
	}
	for _, p := range parts {
		// New partitions of a recreated topic may contain copied records that are already in
		// the ledger.
		p.replaced = p.replaced || !p.marked && replaced[p.at.Topic]
		if err := r.read(ctx, p); err != nil {
			return nil, err
		}
	}
	if err := r.merge(ctx); err != nil {
		return nil, err
	}
	return r.result, nil
}

// reader is the state of one Read.
type reader struct {
	Plan
	log    Log
	result *Result
	found  map[ledger.DayName]*found // see note
}

// found are the noted copies of a day, including those that the ledger has.
type found struct{ rows, letters dedup.Set }

// part is a partition to read.
type part struct {
	at         recordbatch.TopicPartition
	start, end int64 // of its log
	marked     bool
	news       int64 // records from this offset on are not in the ledger
	replaced   bool  // the log is not the log of the checkpoint
}

// carry keeps the marks of partitions that are not read now, and returns the topics that have
// permanently lost partitions. A topic that is missing completely, or of a stream that is not
// configured now, may come back with all its rows.
func (r *reader) carry() (replaced map[string]bool) {
	replaced = map[string]bool{}
	partitions := map[string]int{}
	for _, p := range r.Partitions {
		partitions[p.Topic] = max(partitions[p.Topic], p.Partition+1)
	}
	for p, mark := range r.Marks {
		switch n := partitions[p.Topic]; {
		case n == 0 || p.Partition < n && !r.Fenced(p):
			r.result.Carried[p] = mark
		case p.Partition >= n:
			replaced[p.Topic] = true
			r.find(Finding{Kind: Lost, Partition: p, How: fmt.Sprintf("the topic has %d partitions now", n)})
		}
	}
	return replaced
}

func (r *reader) find(f Finding) { r.result.Findings = append(r.result.Findings, f) }

// bounds returns the offsets of logs from a time on, in the order of the partitions.
func (r *reader) bounds(ctx context.Context, since time.Time, partitions ...recordbatch.TopicPartition) ([]cluster.LogRange, error) {
	logs, err := r.log.OffsetsSince(ctx, since, partitions...)
	if err != nil {
		return nil, fmt.Errorf("recover: %w", err)
	}
	for _, log := range logs {
		if log.Err != nil {
			return nil, fmt.Errorf("recover %v: %w", log.Partition, log.Err)
		}
	}
	return logs, nil
}

// read visits the records of a partition that may be new.
func (r *reader) read(ctx context.Context, p *part) error {
	from := min(max(p.news, p.start), p.end)
	position := recordbatch.Position{Next: p.end, Last: -1}
	switch {
	case p.replaced:
		recent, err := r.bounds(ctx, r.Since, p.at)
		if err != nil {
			return err
		}
		from = min(recent[0].Start, p.end)
	case p.marked:
		if p.news < p.start {
			r.find(Finding{Kind: Expired, Partition: p.at, From: p.news, To: p.start})
		}
		mark := r.Marks[p.at]
		position.Last, position.LastID = mark.Last, mark.ID
		if r.hasMissing(p.at.Topic) {
			from = p.start
		}
	}
	r.result.Positions[p.at] = position
	holes := Finding{Kind: Holes, Partition: p.at}
	err := r.log.Read(ctx, p.at, from, p.end, recordbatch.Visitor{
		Record: func(record *recordbatch.Record) error { r.add(p, record); return nil },
		Hole:   func(from, to int64) { holes.To += to - from },
	})
	if err != nil {
		return fmt.Errorf("recover %v: %w", p.at, err)
	}
	if holes.To > 0 {
		r.find(holes)
	}
	return nil
}

// hasMissing reports whether a topic is read from its start because the records of days are lost.
func (r *reader) hasMissing(topic string) bool {
	for name := range r.Missing {
		if topic == r.Letters || topic == r.Topics[name.Stream] {
			return true
		}
	}
	return false
}

// ours returns the export and the row that a record names; false unless it is one of the
// connector's: it has the headers id and export, of this service and a configured stream.
func (r *reader) ours(topic string, record *recordbatch.Record) (export schema.ExportName, c dedup.Copy, ours bool) {
	id, exported := record.Header("id"), record.Header("export")
	if id == nil || exported == nil {
		return export, c, false
	}
	export, err := schema.ParseExportID(string(exported))
	fingerprint, number, err2 := schema.ParseID(id)
	streamTopic, configured := r.Topics[export.Stream]
	ours = err == nil && err2 == nil && export.Service == r.Service && configured && (topic == r.Letters || topic == streamTopic)
	return export, dedup.Copy{Fingerprint: fingerprint, Number: number}, ours
}

// add adds a record if it is one of the connector's.
func (r *reader) add(p *part, record *recordbatch.Record) {
	export, c, ours := r.ours(p.at.Topic, record)
	if !ours {
		return
	}
	isLetter := p.at.Topic == r.Letters
	name := ledger.DayName{Stream: export.Stream, Day: export.Day}
	if p.replaced || record.Offset >= p.news {
		position := r.result.Positions[p.at]
		position.Last, position.LastID = record.Offset, string(record.Header("id"))
		r.result.Positions[p.at] = position
	} else if !r.Missing[name] {
		return
	}
	// A day in the ledger may be written again, however old: by a replay, or after a wrong
	// clock was corrected.
	if !r.Ledger.Known(name) && export.Day < r.Oldest {
		return // the ledger was lost: holding all rows ever published would need too much memory
	}
	known := r.Ledger.Day(name)
	if export.N < known.From {
		return // an earlier generation
	}
	if r.isExportLetter(p.at.Topic, record) {
		if export.N > known.Exports {
			r.day(name).number(export.N)
		}
		return
	}
	if p.replaced || !p.marked || r.Missing[name] {
		r.note(name, export.N, c, isLetter)
		return
	}
	r.day(name).add(export.N, c, isLetter)
}

func (r *reader) day(name ledger.DayName) *Day {
	d := r.result.Days[name]
	if d == nil {
		d = &Day{}
		r.result.Days[name] = d
	}
	return d
}

func (d *Day) number(export int) { d.Exports = max(d.Exports, export) }

// add counts a row, or the dead letter of a row, that is not in the ledger.
func (d *Day) add(export int, c dedup.Copy, isLetter bool) {
	d.number(export)
	if isLetter {
		d.Letters++
	} else {
		d.Rows++
	}
	d.Copies.Recover(c)
}
