package check

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/cluster"
)

// Status is what became of one thing looked at.
type Status string

// The statuses. Only Fail keeps the connector from its work.
const (
	OK   Status = "ok"
	Warn Status = "warn"
	Fail Status = "fail"
)

// Line is one thing looked at. A remedy is a command as an administrator types it, or a sentence.
type Line struct {
	Check  string   `json:"check"`
	Status Status   `json:"status"`
	Detail string   `json:"detail"`
	Remedy []string `json:"remedy,omitempty"`
}

// Check is one look at all of it. Call is optional, all else is needed.
type Check struct {
	Config   *config.Config
	Warnings []config.Finding
	Cluster  *cluster.Cluster
	Service  *pipeline.Service
	Client   *exportapi.Client
	Policy   limiter.Policy
	State    bool   // what the ledger says is wrong with the service fails instead of being a warning
	Call     bool   // spend one export call
	Stream   string // of that call; empty: the first event stream, else the first stream
	// LegacyLogin says whether a login succeeded only as earlier releases sent it; nil: none did.
	LegacyLogin func() bool

	lines     []Line
	forbidden []cluster.Right // what rights found missing
	single    []string        // topics with one replica
	state     json.RawMessage // the source's, from the ledger
}

// Run looks, until ctx ends. A check that an earlier fault makes impossible has no line.
func (c *Check) Run(ctx context.Context) []Line {
	c.lines, c.single = nil, nil
	c.configuration()
	c.adminAddress(ctx)
	reached := c.api(ctx)
	c.registry(ctx)
	if c.brokers(ctx) && c.advertised(ctx) {
		c.rights(ctx)
		if c.topics(ctx) {
			c.fence(ctx)
			c.ledger(ctx)
		}
	}
	switch {
	case c.Call && reached:
		c.call(ctx)
	case reached:
		c.add(OK, "token", "not tried: --call tries it")
	}
	return c.lines
}

// Failed says whether a line did.
func Failed(lines []Line) bool {
	return slices.ContainsFunc(lines, func(l Line) bool { return l.Status == Fail })
}

func (c *Check) add(status Status, check, detail string, remedy ...string) {
	c.lines = append(c.lines, Line{Check: check, Status: status, Detail: detail, Remedy: remedy})
}

func (c *Check) configuration() {
	c.add(OK, "configuration", fmt.Sprintf("service %s, streams %v, delivery %s", c.Config.DFINERY.Service, c.Config.StreamNames(), c.Config.Publish.Delivery))
	for _, w := range c.Warnings {
		c.add(Warn, "configuration", w.Variable+" "+w.Message)
	}
}

// Differences of clocks that are a warning, and a fault.
const (
	clockWarn = 30 * time.Second
	clockFail = 10 * time.Minute
)

// clock compares another clock with ours; fine is how exact the comparison is.
func (c *Check) clock(check string, theirs, ours time.Time, fine time.Duration) {
	apart := theirs.Sub(ours)
	side := "ahead of"
	if apart < 0 {
		side = "behind"
	}
	size := max(0, apart.Abs()-fine).Round(time.Second)
	switch {
	case size >= clockFail:
		c.add(Fail, check, fmt.Sprintf("its clock is %s %s this machine's", size, side), "set the clock that is wrong by NTP: days begin and end by them")
	case size >= clockWarn:
		c.add(Warn, check, fmt.Sprintf("its clock is %s %s this machine's", size, side), "set the clock that is wrong by NTP")
	default:
		c.add(OK, check, "its clock agrees with this machine's")
	}
}
