package app

import (
	"dfinery-kafka/cmd/config"
	"dfinery-kafka/pipeline/profiles"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/privacy"
	"dfinery-kafka/schema/registry"
)

// rawOf converts the configured value.
func rawOf(raw config.DeadLetterRaw) transfer.Raw {
	switch raw {
	case config.RawRedacted:
		return transfer.RawRedacted
	case config.RawNone:
		return transfer.RawNone
	}
	return transfer.RawFull
}

func streams(c *config.Config, schemas *registry.Client) []transfer.Stream {
	list := make([]transfer.Stream, len(c.Streams))
	for i := range c.Streams {
		s := &c.Streams[i]
		list[i] = transfer.Stream{
			StreamConfig: schedule.StreamConfig{
				Name: s.Name, Kind: s.Export, Changes: s.Mode == config.ModeChanges, Topic: string(s.Topic), Key: schema.Key(s.Key), Empty: s.Empty, Format: string(s.Format), Contract: s.Contract,
				Filter: schema.Filter{Events: s.Events, ExcludeEvents: s.ExcludeEvents, Properties: s.Properties, ExcludeProperties: s.ExcludeProperties, Audience: s.Audience, Identities: s.Identities},
				Poll:   s.PollInterval, Lookback: s.Lookback, LookbackInterval: s.LookbackInterval, StartBack: s.Start.Back,
			},
			Values:  values(s, schemas),
			Headers: transfer.HeaderOptions{Columns: s.Headers, CloudEvents: s.CloudEvents, ContentType: s.Format.ContentType()},
			MaxBad:  float64(s.MaxBad),
			Deletes: profiles.Policy{Never: s.Deletes == config.DeletesNever, After: s.DeleteAfter, Most: float64(s.DeleteMost)},
			Meta:    s.Meta,
			Raw:     rawOf(c.Publish.DeadLetterRaw.Of(s)),
		}
		if p := privacy.New(s.Hidden(), c.Privacy.Key); p != nil {
			list[i].Privacy, list[i].Hidden, list[i].HiddenKey = p, p.ListsIdentity(), p.KeyID()
		}
		if s.Start.On != nil {
			list[i].StartBack, list[i].First = -1, *s.Start.On
		}
	}
	return list
}
