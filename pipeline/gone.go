package pipeline

import (
	"maps"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// oldest is the first day of which a restore keeps what is published: the API's reach, and a day more for a midnight meanwhile.
func (t *tenure) oldest() schema.Day {
	return schema.DayOf(time.Now(), t.service.Location) - schema.Reach - 1
}

// listed are the days within reach whose records are in the ledger, or will be with this checkpoint.
func (t *tenure) listed() map[string]map[schema.Day]int {
	list := maps.Clone(t.carriedDays)
	if list == nil {
		list = map[string]map[schema.Day]int{}
	}
	oldest := t.oldest()
	for name, record := range t.schedule.Days() {
		if name.Day < oldest || record.Exports == 0 && record.State == ledger.Pending {
			continue // not to be had any more, or not written yet
		}
		if list[name.Stream] == nil {
			list[name.Stream] = map[schema.Day]int{}
		}
		list[name.Stream][name.Day] = record.From
	}
	return list
}

// gone are the days that the checkpoint lists and the ledger no longer has: what the topics hold of them is read back, wherever it
// stands, or all of it would be published again. The days of a stream that can't be read as a whole now are left to a later tenure.
func (t *tenure) gone(state *ledger.State) map[ledger.DayName]bool {
	gone := map[ledger.DayName]bool{}
	if state.Checkpoint == nil {
		return gone // everything is read back
	}
	t.carriedDays = maps.Clone(state.Checkpoint.Days)
	oldest := t.oldest()
	for _, st := range t.streams {
		if t.schedule.Blocked(st.Name) != "" {
			continue
		}
		days := 0
		var first, last schema.Day
		for at, from := range state.Checkpoint.Days[st.Name] {
			name := ledger.DayName{Stream: st.Name, Day: at}
			if state.Days[name] != nil || at < oldest {
				continue
			}
			gone[name] = true
			t.schedule.Recreate(name, from)
			if days++; days == 1 || at < first {
				first = at
			}
			last = max(last, at)
		}
		delete(t.carriedDays, st.Name)
		if days > 0 {
			t.log.Error("the ledger has lost the records of days: they are read back from the topics; rows that these no longer have may be published twice",
				"stream", st.Name, "days", days, "first", first, "last", last,
				"do", "find out who deleted records of "+t.books.Topic+", or the topic: its cleanup.policy must be compact, and nobody but the program may delete there")
		}
	}
	return gone
}

// again tells whether a partition is read from its start for the sake of days that are gone.
func (ts *tails) again(p cluster.TopicPartition, dead bool) bool {
	for name := range ts.gone {
		if dead || ts.tenure.stream(name.Stream).Topic == p.Topic {
			return true
		}
	}
	return false
}
