package pipeline

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
)

// TestDropSets: the fingerprints of a day that rests are not kept in memory, those of today and of exports under way are.
func TestDropSets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(noon))
		tenure := newTenure(&Service{Location: planned, Streams: []Stream{{Stream: schedule.Stream{Name: "a"}}}}, nil)
		st := &stream{Stream: tenure.service.Streams[0], days: map[schema.Day]*day{}}
		tenure.streams = []*stream{st}
		for back := range schema.Day(4) {
			st.day(today - back).rows = dedup.Day{Set: new(dedup.Set)}
		}
		st.day(today - 2).export = new(export)
		st.day(today - 3).rows.Rewrite()
		tenure.dropSets()
		got := map[schema.Day]bool{}
		for at, d := range st.days {
			got[today-at] = d.rows.Set != nil
		}
		if diff := cmp.Diff(map[schema.Day]bool{0: true, 1: false, 2: true, 3: true}, got); diff != "" {
			t.Errorf("days that are loaded (-want +got):\n%s", diff)
		}
	})
}
