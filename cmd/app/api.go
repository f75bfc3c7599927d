package app

import (
	"dfinery-kafka/cmd/config"
	"dfinery-kafka/connector/charset"
	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

// Client returns the client of the API.
func (a *App) Client() *exportapi.Client { return a.client }

func (a *App) newClient(o Options) *exportapi.Client {
	d := &a.config.DFINERY
	token := func() (schema.Secret, error) { return schema.Secret(d.Token.Reveal()), nil }
	if a.token != nil {
		token = a.token.Secret
	}
	client := &exportapi.Client{
		BaseURL: string(d.BaseURL), Service: string(d.Service), Token: token, ToDateExclusive: d.ToDate == config.Exclusive,
		HeaderTimeout: d.HeaderTimeout, IdleTimeout: d.IdleTimeout, Version: o.Version, RecoverQuotes: d.OpenQuote == config.RecoverQuote,
		LineEnds:  &exportapi.LineEndLearner{Mode: d.FinalNewline, Log: a.log},
		Transport: o.Transport, EmptyDay: d.EmptyDay, Log: a.log,
	}
	if declared, err := charset.Parse(string(d.Charset)); err == nil {
		client.Charset = &declared
	}
	return client
}

// Policy returns the limits of the source.
func (a *App) Policy() limiter.Policy {
	c := a.config
	p := limiter.Policy{
		CallsPerHour: c.DFINERY.CallsPerHour, ConcurrentCalls: c.DFINERY.ConcurrentCalls,
		Failures: c.Breaker.Failures, OpenFor: c.Breaker.OpenFor, MaxOpenFor: c.Breaker.MaxOpenFor, TripOn: c.Breaker.TripOn,
		RetryBackoff: c.Retry.Backoff, RetryMaxBackoff: c.Retry.MaxBackoff, Log: a.log,
	}
	if a.token != nil {
		p.Token = a.token
	}
	return p
}
