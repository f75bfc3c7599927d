package pipeline

import (
	"context"
	"errors"
	"fmt"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// tails collects what the topics hold behind the checkpoint.
type tails struct {
	tenure *tenure
	tail   map[ledger.DayName]*tail
	gone   map[ledger.DayName]bool // days whose rows before the checkpoint are read back, too
	empty  bool                    // the ledger: each tenure writes a checkpoint before its first row
}

// tail is that of one day.
type tail struct {
	day     *day
	rows    int
	letters int
	exports int // the highest export number met
}

// read visits one partition from its mark, or from its start without one.
func (ts *tails) read(ctx context.Context, p cluster.TopicPartition, marks map[cluster.TopicPartition]ledger.Mark) error {
	t := ts.tenure
	if !t.session.Owns(p) {
		if mark, ok := marks[p]; ok {
			t.carried[p] = mark
		}
		return nil
	}
	log, err := t.service.Cluster.Log(ctx, p)
	if err != nil {
		return fmt.Errorf("restore %v: %w", p, err)
	}
	mark, marked := marks[p]
	from := log.Start
	if marked {
		stands, err := ts.verify(ctx, p, log, mark)
		if err != nil {
			return err
		}
		if !stands {
			mark.Last, mark.ID = -1, "" // said once
		}
		if from = mark.Next; from < log.Start {
			t.log.Error("the topic has lost records that were not in the ledger yet: rows of the unsettled days may be published twice",
				"partition", p, "checkpoint", mark.Next, "log_start", log.Start,
				"do", "give the topic a retention longer than outages; tell its consumers to deduplicate by the header id")
			from = log.Start
		}
		from = min(from, log.End)
	}
	t.marks[p] = recordbatch.Position{Next: log.End, Last: mark.Last, LastID: mark.ID}
	dead := p.Topic == t.service.DeadLetterTopic
	holes := int64(0)
	since := from
	if ts.again(p, dead) {
		from = log.Start
	}
	err = t.service.Cluster.Read(ctx, p, from, log.End, cluster.Visitor{
		Record: func(r *cluster.Record) error {
			ts.take(p, r, dead, r.Offset >= since)
			return nil
		},
		Hole: func(from, to int64) { holes += to - from },
	})
	if holes > 0 && err == nil {
		t.log.Error("the log lacks records that were not in the ledger yet, removed by compaction or not given by their leader: rows of the unsettled days may be published twice",
			"partition", p, "records", holes, "do", "set the topic's cleanup.policy to delete; tell its consumers to deduplicate by the header id")
	}
	return err
}

// missing looks at the marks of partitions that are not written now. One of a topic that has others is gone for good; a topic that is
// missing as a whole, or of a stream that is not configured now, may come back with all its rows.
func (ts *tails) missing(marks map[cluster.TopicPartition]ledger.Mark) {
	t := ts.tenure
	topics := map[string]int{} // how many partitions they have, all of which are written
	for _, p := range t.written {
		topics[p.Topic] = max(topics[p.Topic], p.Partition+1)
	}
	for p, mark := range marks {
		switch n := topics[p.Topic]; {
		case p.Partition < n, p.Topic == t.books.Rows:
		case n > 0:
			ts.lost(p, fmt.Sprintf("the topic has %d partitions now", n))
		default:
			t.carried[p] = mark
		}
	}
}

// verify compares the last record before the mark with what the checkpoint says of it, and tells whether it stands there.
func (ts *tails) verify(ctx context.Context, p cluster.TopicPartition, log cluster.LogRange, mark ledger.Mark) (bool, error) {
	if log.End < mark.Next {
		ts.lost(p, fmt.Sprintf("its log ends at %d, the checkpoint is at %d", log.End, mark.Next))
		return false, nil
	}
	if mark.ID == "" || mark.Last < log.Start {
		return true, nil
	}
	found, compacted := "", false
	err := ts.tenure.service.Cluster.Read(ctx, p, mark.Last, mark.Last+1, cluster.Visitor{
		Record: func(r *cluster.Record) error {
			found = string(r.Header("id"))
			return nil
		},
		Hole: func(int64, int64) { compacted = true }, // which proves nothing
	})
	if _, gone := errors.AsType[*cluster.RangeError](err); err != nil && !gone {
		return false, fmt.Errorf("restore %v: %w", p, err)
	}
	if found == mark.ID || compacted {
		return true, nil
	}
	ts.lost(p, fmt.Sprintf("at offset %d stands id %q, the checkpoint has %q", mark.Last, found, mark.ID))
	return false, nil
}

// lost says that acknowledged records are gone, and how to publish them again.
func (ts *tails) lost(p cluster.TopicPartition, how string) {
	for _, st := range ts.tenure.streams {
		if st.Topic != p.Topic {
			continue
		}
		first, last := ts.tenure.published(st)
		ts.tenure.log.Error("Kafka has lost acknowledged rows of a stream: publish its days again", "stream", st.Name, "partition", p, "how", how,
			"do", fmt.Sprintf("dfinery-kafka backfill %s --from %s --to %s --again", st.Name, first, last))
		return
	}
	ts.tenure.log.Error("Kafka has lost acknowledged dead letters", "partition", p, "how", how,
		"do", "look at the brokers: what was acknowledged must stay (unclean.leader.election.enable, replicas)")
}

// published are the first and the last of the stream's days that have rows in its topic; 0 without any.
func (t *tenure) published(st *stream) (first, last schema.Day) {
	for name, record := range t.schedule.Days() {
		if name.Stream != st.Name || record.Published == 0 {
			continue
		}
		if first == 0 {
			first = name.Day
		}
		last = name.Day
	}
	return first, last
}

// take enters one record that is ours: one with the headers id and export, of this service and a stream of ours. One that is not behind the
// checkpoint is news of a day only whose record is gone.
func (ts *tails) take(p cluster.TopicPartition, r *cluster.Record, dead, behind bool) {
	t := ts.tenure
	id, exported := r.Header("id"), r.Header("export")
	if id == nil || exported == nil {
		return
	}
	export, err := schema.ParseExportID(string(exported))
	print, copyNumber, err2 := schema.ParseID(id)
	st := t.stream(export.Stream)
	if err != nil || err2 != nil || export.Service != t.service.ID || st == nil || !dead && st.Topic != p.Topic {
		return
	}
	if behind {
		position := t.marks[p]
		position.Last, position.LastID = r.Offset, string(id)
		t.marks[p] = position
	} else if !ts.gone[ledger.DayName{Stream: st.Name, Day: export.Day}] {
		return
	}
	// A day that the ledger knows may be written again, however old: by a replay, or once a wrong clock is right again.
	name := ledger.DayName{Stream: st.Name, Day: export.Day}
	if !t.schedule.Known(name) && export.Day < t.oldest() {
		return // out of reach, of a ledger that was lost: to hold all that was ever published would take the memory of all days
	}
	record := t.schedule.Day(name)
	switch {
	case export.N < record.From: // of an older generation
	case dead && string(r.Header(headerStage)) == schema.KindExport:
		if export.N > record.Exports {
			t.schedule.Recover(name, 0, 0, export.N)
		}
	default:
		ts.count(st.day(export.Day), export.N, dedup.Copy{Fingerprint: print, Number: copyNumber}, dead)
	}
}

// count adds a row, or the dead letter of one, to the tail of its day.
func (ts *tails) count(d *day, export int, c dedup.Copy, dead bool) {
	tl := ts.tail[d.name]
	if tl == nil {
		tl = &tail{day: d}
		ts.tail[d.name] = tl
	}
	if dead {
		tl.letters++
	} else {
		tl.rows++
	}
	tl.exports = max(tl.exports, export)
	d.rows.Recover(c)
}

// enter adds the tails to their days, to be written by the checkpoint that follows.
func (ts *tails) enter() {
	rows := 0
	for _, tl := range ts.tail {
		ts.tenure.schedule.Recover(tl.day.name, tl.rows, tl.letters, tl.exports)
		rows += tl.rows
	}
	switch log := ts.tenure.log; {
	case rows == 0:
	case ts.empty:
		log.Error("the ledger was lost: it is built anew from what the topics hold; rows that these no longer have may be published twice",
			"rows", rows, "days", len(ts.tail), "do", "find out who deleted "+ts.tenure.books.Topic+", or whether LEDGER_TOPIC had another name before")
	default:
		log.Info("restored rows that were published after the last checkpoint", "rows", rows, "days", len(ts.tail))
	}
}
