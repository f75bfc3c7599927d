package preview

import (
	"context"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/profiles"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// noProfiles is an empty topic of a stream with MODE=changes: each key's first row is new.
type noProfiles struct{}

// Load implements transfer.Profiles.
func (noProfiles) Load(context.Context, string) (*ledger.Profiles, profiles.Marks, error) {
	return new(ledger.Profiles), nil, nil
}

// Scan implements transfer.Profiles.
func (noProfiles) Scan(context.Context, string, func(int, *recordbatch.Record)) error { return nil }

// Begin implements transfer.Profiles.
func (noProfiles) Begin(_ context.Context, call *schema.Export, _, _ int) (int, error) {
	return call.N, nil
}

// RecordDecision implements transfer.Profiles. The first rows prove nothing about absent profiles.
func (noProfiles) RecordDecision(context.Context, string, func(*ledger.Profiles) *profiles.Decision) (*profiles.Decision, error) {
	return new(profiles.Decision), nil
}

// Deleted implements transfer.Profiles.
func (noProfiles) Deleted(context.Context, string, int) error { return nil }
