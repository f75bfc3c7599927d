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

// Status is the result of one check.
type Status string

// The statuses. Only Fail prevents the connector from working.
const (
	OK   Status = "ok"
	Warn Status = "warn"
	Fail Status = "fail"
)

// Line is the result of one check. A remedy is a command for an administrator, or a sentence.
type Line struct {
	Check  string   `json:"check"`
	Status Status   `json:"status"`
	Detail string   `json:"detail"`
	Remedy []string `json:"remedy,omitempty"`
}

// Check runs all checks once. State, Call, Stream, LegacyLogin and Warnings are optional, all other
// fields are required.
type Check struct {
	Config   *config.Config
	Warnings []config.Finding
	Cluster  *cluster.Cluster
	Service  *pipeline.Service
	Client   *exportapi.Client
	Policy   limiter.Policy
	State    bool   // problems of the service that the ledger reports are failures, not warnings
	Call     bool   // spend one export call
	Stream   string // of that call; empty: the first event stream, else the first stream
	// LegacyLogin reports whether a login succeeded only in the form of earlier releases; nil:
	// none did.
	LegacyLogin func() bool

	lines  []Line
	single []string // topics with one replica
}

// Run runs the checks until ctx ends. A check that an earlier failure makes impossible has no line.
func (c *Check) Run(ctx context.Context) []Line {
	c.lines, c.single = nil, nil
	c.configuration()
	c.adminAddress(ctx)
	reached := c.api(ctx)
	c.registry(ctx)
	var state json.RawMessage // the source's, from the ledger
	if c.brokers(ctx) && c.advertised(ctx) {
		missing := c.rights(ctx)
		if c.topics(ctx, missing) {
			c.fence(ctx, missing)
			state = c.ledger(ctx, missing)
		}
	}
	switch {
	case c.Call && reached:
		c.call(ctx, state)
	case reached:
		c.add(OK, "token", "not tested: use --call")
	}
	return c.lines
}

// Failed reports whether any check failed.
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

// The clock differences that are a warning and a failure.
const (
	clockWarn = 30 * time.Second
	clockFail = 10 * time.Minute
)

// clock compares another clock with ours; fine is the accuracy of the comparison.
func (c *Check) clock(check string, theirs, ours time.Time, fine time.Duration) {
	apart := theirs.Sub(ours)
	side := "ahead of"
	if apart < 0 {
		side = "behind"
	}
	size := max(0, apart.Abs()-fine).Round(time.Second)
	switch {
	case size >= clockFail:
		c.add(Fail, check, fmt.Sprintf("its clock is %s %s this machine's", size, side), "synchronize the wrong clock by NTP: it decides when days start and end")
	case size >= clockWarn:
		c.add(Warn, check, fmt.Sprintf("its clock is %s %s this machine's", size, side), "synchronize the wrong clock by NTP")
	default:
		c.add(OK, check, "its clock agrees with this machine's")
	}
}
