package admin_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/admin"
	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/producer"
)

// why returns the parts of a view that are not ready, with their reasons.
func why(v admin.View) map[string]string {
	reasons := map[string]string{}
	for _, p := range v.Parts() {
		if !p.Ready {
			reasons[p.Name] = p.Reason
		}
	}
	return reasons
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	const noLedger, notOwner = "the ledger is not restored", "the service is not taken over yet"
	for _, test := range []struct {
		name string
		view admin.View
		want map[string]string
	}{
		{"just started", admin.View{Pipeline: pipeline.Status{Role: pipeline.RoleStarting, Reasons: []string{"starting"}}},
			map[string]string{"owner": notOwner, "ledger": noLedger, "kafka": "Kafka has not answered yet"}},
		{"restoring", admin.View{Pipeline: pipeline.Status{Role: pipeline.RoleStarting, Restoring: true}},
			map[string]string{"owner": notOwner, "ledger": noLedger}},
		{"restoring, the coordinator is away", admin.View{Pipeline: pipeline.Status{Role: pipeline.RoleStarting, Restoring: true}, Produced: producer.Stats{Fencing: true}},
			map[string]string{"owner": notOwner, "ledger": noLedger, "kafka": "Kafka's transaction coordinator does not answer as it should"}},
		{"Kafka is away", admin.View{Pipeline: pipeline.Status{Role: pipeline.RoleWaiting, Reasons: []string{"dial tcp: refused"}}},
			map[string]string{"owner": notOwner, "ledger": noLedger, "kafka": "dial tcp: refused"}},
		{"owner", admin.View{Pipeline: pipeline.Status{Role: pipeline.RoleOwner}, Source: &limiter.Status{}}, map[string]string{}},
		{"owner, breaker open", admin.View{Pipeline: pipeline.Status{Role: pipeline.RoleOwner},
			Source: &limiter.Status{Breaker: limiter.BreakerStatus{State: "open", Failures: 5}}}, map[string]string{}},
		{"owner, quota spent", admin.View{Pipeline: pipeline.Status{Role: pipeline.RoleOwner},
			Source: &limiter.Status{Quota: limiter.QuotaStatus{Limit: 100}}}, map[string]string{}},
		{"owner, Kafka takes nothing", admin.View{Pipeline: pipeline.Status{Role: pipeline.RoleOwner}, Produced: producer.Stats{InFlight: 1, Waiting: 1}},
			map[string]string{"kafka": "Kafka does not accept records"}},
		{"owner, a partition takes nothing", admin.View{Pipeline: pipeline.Status{Role: pipeline.RoleOwner, Reasons: []string{"Kafka: events/3"}}, Produced: producer.Stats{Waiting: 1}},
			map[string]string{"kafka": "Kafka: events/3"}},
		{"owner, no request is answered", admin.View{At: noon, Pipeline: pipeline.Status{Role: pipeline.RoleOwner, Turned: noon.Add(-9 * time.Second)},
			Kafka: cluster.Health{Since: noon.Add(-5 * time.Second), Failed: noon, Err: errors.New("dial tcp: refused")}}, map[string]string{"kafka": "dial tcp: refused"}},
		{"owner, a request went unanswered just now", admin.View{At: noon, Pipeline: pipeline.Status{Role: pipeline.RoleOwner, Turned: noon.Add(-9 * time.Second)},
			Kafka: cluster.Health{Since: noon.Add(-4 * time.Second), Failed: noon, Err: errors.New("dial tcp: refused")}}, map[string]string{}},
		{"owner, one went unanswered once", admin.View{At: noon, Pipeline: pipeline.Status{Role: pipeline.RoleOwner, Turned: noon},
			Kafka: cluster.Health{Failed: noon.Add(-time.Hour), Err: errors.New("dial tcp: refused")}}, map[string]string{}},
		{"owner, its loop waits", admin.View{At: noon, Pipeline: pipeline.Status{Role: pipeline.RoleOwner, Turned: noon.Add(-30 * time.Second)}},
			map[string]string{"kafka": "the service waits since 2026-11-23T11:59:30Z"}},
		{"standby without Kafka", admin.View{At: noon, Pipeline: pipeline.Status{Role: pipeline.RoleStandby},
			Kafka: cluster.Health{Since: noon.Add(-time.Hour), Failed: noon, Err: errors.New("dial tcp: refused")}},
			map[string]string{"owner": "another instance owns the service", "ledger": noLedger, "kafka": "dial tcp: refused"}},
		{"owner, token refused", admin.View{Pipeline: pipeline.Status{Role: pipeline.RoleOwner},
			Source: &limiter.Status{Token: limiter.TokenStatus{Refused: true}}}, map[string]string{"token": "the API refuses the token"}},
		{"owner, token refused and its file is bad", admin.View{Pipeline: pipeline.Status{Role: pipeline.RoleOwner},
			Source: &limiter.Status{Token: limiter.TokenStatus{Refused: true, FileErr: errors.New("no such file")}}},
			map[string]string{"token": "the API refuses the token: no such file"}},
		{"standby", admin.View{Pipeline: pipeline.Status{Role: pipeline.RoleStandby, Owner: &ledger.Owner{Instance: "host-7"}}},
			map[string]string{"owner": "host-7 owns the service", "ledger": noLedger}},
		{"standby of an unknown owner", admin.View{Pipeline: pipeline.Status{Role: pipeline.RoleStandby}},
			map[string]string{"owner": "another instance owns the service", "ledger": noLedger}},
		{"stopping", admin.View{Pipeline: pipeline.Status{Role: pipeline.RoleOwner}, Stopping: true},
			map[string]string{"process": "shutting down"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, why(test.view)); diff != "" {
				t.Errorf("not ready (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHangs(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)
	long, owner := now.Add(-6*time.Minute), pipeline.RoleOwner
	for _, test := range []struct {
		name string
		view admin.View
		want bool
	}{
		{"just started", admin.View{Pipeline: pipeline.Status{Role: pipeline.RoleStarting}}, false},
		{"Kafka away for hours", admin.View{Pipeline: pipeline.Status{Role: pipeline.RoleWaiting, Turned: now.Add(-9 * time.Hour)}}, false},
		{"a restore of many minutes", admin.View{Pipeline: pipeline.Status{Role: pipeline.RoleStarting, Restoring: true, Turned: long}}, false},
		{"standby without Kafka", admin.View{Pipeline: pipeline.Status{Role: pipeline.RoleStandby, Turned: long}}, false},
		{"turning", admin.View{Pipeline: pipeline.Status{Role: owner, Turned: now.Add(-4 * time.Minute)}}, false},
		{"turning, breaker open", admin.View{Pipeline: pipeline.Status{Role: owner, Turned: now}, Source: &limiter.Status{Breaker: limiter.BreakerStatus{State: "open"}}}, false},
		{"Kafka takes nothing", admin.View{Pipeline: pipeline.Status{Role: owner, Turned: long}, Produced: producer.Stats{Waiting: 1}}, false},
		{"a renewal without coordinator", admin.View{Pipeline: pipeline.Status{Role: owner, Turned: long}, Produced: producer.Stats{Fencing: true}}, false},
		{"a read without answer", admin.View{Pipeline: pipeline.Status{Role: owner, Turned: long}, Kafka: cluster.Health{Failed: now.Add(-time.Minute)}}, false},
		{"stuck since Kafka is back", admin.View{Pipeline: pipeline.Status{Role: owner, Turned: long}, Kafka: cluster.Health{Failed: now.Add(-2 * time.Minute)}}, true},
		{"draining", admin.View{Pipeline: pipeline.Status{Role: owner, Turned: long}, Stopping: true}, false},
		{"stuck", admin.View{Pipeline: pipeline.Status{Role: owner, Turned: long}}, true},
		{"stuck while a batch is on its way for the first time", admin.View{Pipeline: pipeline.Status{Role: owner, Turned: long}, Produced: producer.Stats{InFlight: 1}}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.view.Hangs(now); got != test.want {
				t.Errorf("Hangs: %t, want %t", got, test.want)
			}
		})
	}
}
