package admin

import (
	"time"

	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/schema"
)

// status is the response of /status. Its member names are public.
type status struct {
	Service string   `json:"service_id"`
	Role    string   `json:"role"`
	Ready   bool     `json:"ready"`
	Reasons []string `json:"reasons"` // why it is not ready
	// Breaker and Quota are null until this instance knows them.
	Breaker *breakerStatus          `json:"breaker"`
	Quota   *quotaStatus            `json:"quota"`
	Streams []pipeline.StreamStatus `json:"streams"`
}

type breakerStatus struct {
	State    string     `json:"state"`
	Failures int        `json:"failures"`
	Until    *time.Time `json:"until"`
}

type quotaStatus struct {
	Limit     int        `json:"limit"`
	Remaining int        `json:"remaining"`
	ResetsAt  *time.Time `json:"resets_at"` // null: no call was made
}

func (v *View) status() status {
	s := status{Service: v.Pipeline.Service, Role: v.Pipeline.Role, Ready: true, Reasons: []string{}, Streams: v.streams()}
	for _, p := range v.Parts() {
		if !p.Ready {
			s.Ready = false
			s.Reasons = append(s.Reasons, p.Name+": "+p.Reason)
		}
	}
	if v.authoritative() {
		s.Breaker, s.Quota = breakerOf(v.Source.Breaker), quotaOf(v.Source.Quota)
	}
	return s
}

func breakerOf(b limiter.BreakerStatus) *breakerStatus {
	return &breakerStatus{State: b.State, Failures: b.Failures, Until: orNull(b.Until)}
}

func quotaOf(q limiter.QuotaStatus) *quotaStatus {
	return &quotaStatus{Limit: q.Limit, Remaining: q.Remaining, ResetsAt: orNull(q.ResetsAt)}
}

// streams are the streams as this instance last knew them. A standby starts no exports.
func (v *View) streams() []pipeline.StreamStatus {
	list := append([]pipeline.StreamStatus{}, v.Pipeline.Streams...)
	if v.Pipeline.Role != pipeline.RoleStandby {
		return list
	}
	for i := range list {
		if next := list[i].Next; next != nil {
			list[i].Next = &pipeline.NextStatus{Day: next.Day, WaitsFor: schema.WaitStandby}
		}
	}
	return list
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
