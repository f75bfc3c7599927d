package admin

import (
	"slices"
	"time"

	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/producer"
)

// View is a snapshot of the service.
type View struct {
	At       time.Time // when it was taken
	Pipeline pipeline.Status
	Totals   map[string]pipeline.StreamCounts // by stream, since the process started
	Produced producer.Stats
	Kafka    cluster.Health
	// Source is nil until the ledger has been restored for the first time.
	Source *limiter.Status
	// Transitions are the breaker's transitions since the process started; those of
	// Source restart with each takeover.
	Transitions map[limiter.Transition]int
	Letters     []pipeline.RecentLetter // the last dead letters, newest first
	Stopping    bool                    // the process is shutting down
}

// authoritative reports whether the view of source and days is current: that of a
// standby is from its own last ownership.
func (v *View) authoritative() bool {
	return v.Source != nil && v.Pipeline.Role != pipeline.RoleStandby
}

// Part is one condition of readiness.
type Part struct {
	Name   string `json:"name"` // owner, ledger, kafka, token or process
	Ready  bool   `json:"ready"`
	Reason string `json:"reason,omitempty"` // why not
}

// Parts returns all conditions of readiness. The breaker is not one of them: while it
// is open the service works as intended.
func (v *View) Parts() []Part {
	return []Part{v.owner(), v.ledger(), v.kafka(), v.token(), v.process()}
}

// standbyParts returns the conditions of readiness of a standby, which does not need
// the service, its ledger or the token.
func (v *View) standbyParts() []Part {
	own := []string{"kafka", "process"}
	return slices.DeleteFunc(v.Parts(), func(p Part) bool { return !slices.Contains(own, p.Name) })
}

func (v *View) owner() Part {
	p := Part{Name: "owner"}
	switch s := &v.Pipeline; s.Role {
	case pipeline.RoleOwner:
		p.Ready = true
	case pipeline.RoleStandby:
		p.Reason = "another instance owns the service"
		if s.Owner != nil {
			p.Reason = s.Owner.Instance + " owns the service"
		}
	default:
		p.Reason = "the service is not taken over yet"
	}
	return p
}

func (v *View) ledger() Part {
	if v.Pipeline.Role != pipeline.RoleOwner {
		return Part{Name: "ledger", Reason: "the ledger is not restored"}
	}
	return Part{Name: "ledger", Ready: true}
}

func (v *View) kafka() Part {
	p := Part{Name: "kafka"}
	switch s := &v.Pipeline; {
	case s.Role == pipeline.RoleWaiting && len(s.Reasons) > 0:
		p.Reason = s.Reasons[0]
	case s.Role == pipeline.RoleOwner && len(s.Reasons) > 0:
		p.Reason = s.Reasons[0]
	case !v.Kafka.Since.IsZero() && v.At.Sub(v.Kafka.Since) >= failsFor:
		p.Reason = v.Kafka.Err.Error()
	case s.Role == pipeline.RoleOwner && v.At.Sub(s.Turned) >= waitsFor:
		p.Reason = "the service waits since " + s.Turned.UTC().Format(time.RFC3339)
	case v.Produced.Fencing:
		p.Reason = "Kafka's transaction coordinator does not answer as it should"
	case s.Role == pipeline.RoleOwner && v.Produced.Waiting > 0:
		p.Reason = "Kafka does not accept records"
	case s.Role == pipeline.RoleStarting && !s.Restoring:
		p.Reason = "Kafka has not answered yet"
	default:
		p.Ready = true
	}
	return p
}

func (v *View) token() Part {
	if v.Source == nil || !v.Source.Token.Refused {
		return Part{Name: "token", Ready: true}
	}
	p := Part{Name: "token", Reason: "the API refuses the token"}
	if err := v.Source.Token.FileErr; err != nil {
		p.Reason += ": " + err.Error()
	}
	return p
}

func (v *View) process() Part {
	if v.Stopping {
		return Part{Name: "process", Reason: "shutting down"}
	}
	return Part{Name: "process", Ready: true}
}

// How long Kafka may fail before the instance is not ready: a change of a partition's
// leader is not an outage.
const (
	failsFor = 5 * time.Second  // without an answered request
	waitsFor = 30 * time.Second // of the owner's loop, which iterates every second, waiting for an answer
)

// hangsAfter is the maximum duration of an iteration of the owner's loop. It iterates
// every second; the longest step of an iteration, a checkpoint, takes seconds.
const hangsAfter = 5 * time.Minute

// retriesWithin is longer than it takes for a request to fail again: its time limit,
// and a metadata request.
const retriesWithin = 2 * time.Minute

// Hangs reports whether the service's loop has stopped for a reason that does not pass.
// Before and after its ownership an instance only waits for Kafka; as the owner it may
// wait for a partition or the coordinator that does not answer.
func (v *View) Hangs(now time.Time) bool {
	s := &v.Pipeline
	waits := v.Produced.Waiting > 0 || v.Produced.Fencing || v.Stopping || !v.Kafka.Failed.IsZero() && now.Sub(v.Kafka.Failed) < retriesWithin
	return s.Role == pipeline.RoleOwner && !waits && now.Sub(s.Turned) > hangsAfter
}
