package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestValues_RandomCrashes kills the program repeatedly, at random times, while columns are added,
// removed and moved, and the schema registry is stopped and started. Each row is published once,
// every value can be read with the schema of its id, and no version is registered twice.
// VALUES_ROWS, VALUES_DAYS and VALUES_KILLS make it larger,
// CRASH_SEED repeats a run, REGISTRY_TEST_URL and KAFKA_TEST_BROKERS name real ones.
func TestValues_RandomCrashes(t *testing.T) {
	t.Parallel()
	rows, days, kills := number(t, "VALUES_ROWS", 2000), number(t, "VALUES_DAYS", 4), number(t, "VALUES_KILLS", 6)
	seed := crashSeed(t)
	rng := rand.New(rand.NewPCG(seed, 2))
	format := []string{"avro", "protobuf", "json-schema"}[rng.IntN(3)]
	t.Logf("the format is %s", format)
	target := registryURL(t)
	registry, refuse := registryProxy(t, target)
	today := currentDay()
	b := newTestbed(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1},
		Data: exporttest.Data{
			Seed: seed, RowsPerDay: rows / days, Columns: 24, Duplicates: 0.05, Late: 0.2, LateFrom: 2,
			Header: exporttest.Headers(exporttest.Rotated, exporttest.NewColumn("df_order_id", today-1), exporttest.NewColumn("df_language", today-2), randomColumns(seed)),
		},
	})
	b.unlimited()
	b.pollEvery("50ms")
	b.set("STREAM_EVENTS_START", strconv.Itoa(days-1), "STREAM_EVENTS_FORMAT", format, "STREAM_EVENTS_COLUMNS", typedColumns, "SCHEMA_REGISTRY_URL", registry,
		"SCHEMA_REGISTRY_TIMEOUT", "2s")
	for n := range kills {
		refuse.Store(int64([]int{0, http.StatusServiceUnavailable}[rng.IntN(2)]))
		p := b.start("run")
		p.await(isOwner)
		if rng.IntN(3) > 0 { // long enough to register a schema
			p.await("export ended")
		}
		for range 1 + rng.IntN(3) {
			select {
			case <-time.After(time.Duration(20+rng.IntN(300)) * time.Millisecond):
			case <-p.done:
				t.Fatalf("the program ended:\n%s", p.log())
			}
			refuse.Store(int64([]int{0, http.StatusServiceUnavailable, http.StatusTooManyRequests}[rng.IntN(3)]))
		}
		p.kill()
		if n == kills-1 {
			refuse.Store(0)
		}
	}
	code := 3
	for range 20 {
		var got result
		if _, got = b.run("run", "--once"); got.Code == 0 {
			code = 0
			break
		}
		expectNoLoss(t, got.Stderr)
	}
	if code != 0 {
		t.Fatal("work is left after many runs")
	}
	compareRows(t, newRows(b.servedTyped()...), newRows(b.publishedTyped(format, target)...))
	checkVersions(t, target, b.prefix+"events-value")
	if letters := b.deadLetters(); len(letters) > 0 {
		t.Errorf("%d dead letters, the first: %+v", len(letters), letters[0].Error)
	}
}

// randomColumns adds empty columns to an export at random positions: one of its day, one that is
// new with every third export of the day, and up to three others.
func randomColumns(seed uint64) exporttest.Header {
	return func(day schema.Day, export int, columns []string) []string {
		rng := rand.New(rand.NewPCG(seed, uint64(day)<<20|uint64(export))) //nolint:gosec // both are small and positive
		for _, i := range rng.Perm(12)[:rng.IntN(4)] {
			columns = slices.Insert(columns, rng.IntN(len(columns)), fmt.Sprintf("빈 %d", i))
		}
		for _, name := range []string{fmt.Sprintf("빈 날 %d", int(day)%12), fmt.Sprintf("빈 새 %d", min(export/3, 40))} {
			columns = slices.Insert(columns, rng.IntN(len(columns)), name)
		}
		return columns
	}
}

// checkVersions checks that a subject does not have the same schema twice.
func checkVersions(t *testing.T, registry, subject string) {
	t.Helper()
	client, err := sr.NewClient(sr.URLs(registry))
	if err != nil {
		t.Fatal(err)
	}
	versions, err := client.Schemas(context.Background(), subject)
	if err != nil {
		t.Fatal(err)
	}
	texts, ids := map[string]bool{}, map[int]bool{}
	for _, v := range versions {
		if texts[v.Schema.Schema] || ids[v.ID] {
			t.Errorf("version %d with id %d is registered twice", v.Version, v.ID)
		}
		texts[v.Schema.Schema], ids[v.ID] = true, true
	}
	t.Logf("%d versions", len(versions)) // 1 if the registry was stopped until all columns had occurred
}
