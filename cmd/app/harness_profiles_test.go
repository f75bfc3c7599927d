package app_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// profileAPI answers with snapshots of profiles, which a test changes.
type profileAPI struct {
	mu       sync.Mutex
	profiles map[string]string
	csv      string        // the snapshot; empty if the profiles have changed
	unframed bool          // answers do not prove that they are complete
	slow     time.Duration // delay after the first half of an answer
	calls    []time.Time
}

func (p *profileAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, time.Now())
	if p.csv == "" {
		var csv strings.Builder
		csv.WriteString("df_unified_id,city\n")
		for _, key := range slices.Sorted(maps.Keys(p.profiles)) {
			fmt.Fprintf(&csv, "%s,%s\n", key, p.profiles[key])
		}
		p.csv = csv.String()
	}
	text := p.csv
	half := strings.Index(text[len(text)/2:], "\n") + len(text)/2 + 1
	body := io.MultiReader(strings.NewReader(text[:half]), &delayed{p.slow, strings.NewReader(text[half:])})
	answer := &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: int64(len(text)), Body: io.NopCloser(body),
		Header: http.Header{"Content-Type": {"text/csv"}, "Date": {time.Now().UTC().Format(http.TimeFormat)}},
	}
	if p.unframed {
		answer.ContentLength = -1
	}
	return answer, nil
}

// delayed is a reader with one delay.
type delayed struct {
	by time.Duration
	io.Reader
}

func (d *delayed) Read(b []byte) (int, error) {
	time.Sleep(d.by)
	d.by = 0
	return d.Reader.Read(b)
}

// change changes the profiles, or the form of answers, before the next call.
func (p *profileAPI) change(do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do()
	p.csv = ""
}

// lose removes the profiles whose keys have a prefix.
func (p *profileAPI) lose(prefix string) {
	p.change(func() {
		maps.DeleteFunc(p.profiles, func(key, _ string) bool { return strings.HasPrefix(key, prefix) })
	})
}

func (p *profileAPI) set(key, city string) { p.change(func() { p.profiles[key] = city }) }

// newProfiles returns a connector whose only stream has MODE=changes, with a thousand profiles
// "stays…" and others by prefix. Its settings are the defaults: a snapshot a day, deletes
// after a day, at most ten deletes in seven days.
func newProfiles(t *testing.T, others map[string]int) (*simulation, *profileAPI) {
	t.Helper()
	w := newSimulation(t, &exporttest.Server{})
	api := &profileAPI{profiles: map[string]string{}}
	for prefix, n := range others {
		for i := range n {
			api.profiles[fmt.Sprint(prefix, i)] = "Seoul"
		}
	}
	for i := range 1000 {
		api.profiles[fmt.Sprint("stays", i)] = "Seoul"
	}
	w.http = api
	w.config.Publish.OwnerHeartbeat, w.config.Publish.StandbyAfter, w.config.Publish.FenceRenewal = 6*time.Hour, 18*time.Hour, 24*time.Hour // fewer requests
	w.config.Publish.CheckpointInterval = time.Hour
	w.config.Streams = []config.Stream{{
		Name: "users", Export: schema.UserProfile, Topic: "users", Key: "df_unified_id", Empty: schema.EmptyOmit, PollInterval: 24 * time.Hour,
		Mode: config.ModeChanges, Deletes: config.DeletesTombstone, DeleteAfter: 24 * time.Hour, DeleteMost: 0.01, MaxBad: 1,
	}}
	return w, api
}

// deletes returns the times of deletes in hours after since, by the prefix of their keys.
func (w *simulation) deletes(since time.Time) map[string][]int {
	w.t.Helper()
	deletes := map[string][]int{}
	for _, r := range w.records("users") {
		if r.Value == nil {
			prefix := strings.TrimRight(string(r.Key), "0123456789")
			deletes[prefix] = append(deletes[prefix], int(r.Timestamp.Sub(since)/time.Hour))
		}
	}
	for _, hours := range deletes {
		slices.Sort(hours)
	}
	return deletes
}

func header(all []kgo.RecordHeader, name string) string {
	for _, h := range all {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}
