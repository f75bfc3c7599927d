package limiter

import (
	"log/slog"
	"time"

	"dfinery-kafka/schema"
)

// tokenRetry is the time between two calls with a token that the API refused.
const tokenRetry = 10 * time.Minute

// TokenSource is the source of a token that may change, such as a file. It is called often, so
// it must usually answer from memory.
type TokenSource interface {
	// Secret is the token in use. The error means that there has been none so far.
	Secret() (schema.Secret, error)
	// Err is why the source currently can't be read; the token read before remains in use.
	Err() error
	// String names the source in messages, for example by the path of its file.
	String() string
}

// tokenGate holds back all calls while the API refuses the token, until its source has another
// one. One call every tokenRetry tries it again. A refusal is not persisted over a restart,
// which may well have brought the new token.
type tokenGate struct {
	source TokenSource // nil: the token never changes
	log    *slog.Logger

	refused bool
	bad     schema.Secret // the refused token; empty without a source
	next    time.Time
	out     bool // the next attempt is in flight

	problem string // of the source, as last logged
}

// Wait implements Limit.
func (g *tokenGate) Wait(now time.Time, _ int) schema.Wait {
	token, err := g.current()
	g.logProblem()
	if err != nil {
		return schema.Wait{For: schema.WaitToken, Until: now.Add(tokenRetry)}
	}
	if g.refused && token != g.bad {
		g.refused, g.out = false, false
		g.log.Info("token changed: calls resume", "file", g.source.String())
	}
	switch {
	case !g.refused:
		return schema.Wait{}
	case g.next.After(now):
		return schema.Wait{For: schema.WaitToken, Until: g.next}
	case g.out:
		return schema.Wait{For: schema.WaitToken}
	}
	return schema.Wait{}
}

// Begin implements Limit.
func (g *tokenGate) Begin(time.Time) Call {
	g.out = g.refused
	return &tokenCall{gate: g, try: g.refused}
}

type tokenCall struct {
	gate  *tokenGate
	token schema.Secret // used by the call
	try   bool          // the call tries a refused token
}

// Sent stores the token in use. The client reads the token directly after this, so it may use a
// newer one: its refusal is then attributed to the older token, and the newer one is tried
// again.
func (c *tokenCall) Sent(time.Time) { c.token, _ = c.gate.current() }

func (c *tokenCall) Answered(_ time.Time, a Answer) {
	if !a.Failed {
		c.gate.accept(c.token)
	}
}

func (c *tokenCall) Ended(now time.Time, o Outcome) {
	switch o.effect().Token {
	case schema.TokenRefused:
		c.gate.refuse(c.token, now)
	case schema.TokenAccepted:
		c.gate.accept(c.token)
	}
	if c.try {
		c.gate.out = false
	}
}

// logProblem logs each new error of the source.
func (g *tokenGate) logProblem() {
	if g.source == nil {
		return
	}
	problem := ""
	if err := g.source.Err(); err != nil {
		problem = err.Error()
	}
	if problem != g.problem && problem != "" {
		g.log.Error("can't read the token file: the token read before remains in use until the API refuses it", "error", problem, "do", "write the service's Export token into the file, as one line of UTF-8")
	}
	g.problem = problem
}

func (g *tokenGate) current() (schema.Secret, error) {
	if g.source == nil {
		return "", nil
	}
	return g.source.Secret()
}

// refuse handles the API's refusal of token. The refusal of a token that has since been
// replaced says nothing about the current one.
func (g *tokenGate) refuse(token schema.Secret, now time.Time) {
	if current, err := g.current(); err != nil || current != token {
		return
	}
	first := !g.refused
	g.refused, g.bad, g.out, g.next = true, token, false, now.Add(tokenRetry)
	if !first {
		return
	}
	if g.source == nil {
		g.log.Error("token refused by the API: all calls wait", "next_try", g.next,
			"do", "set DFINERY_EXPORT_TOKEN to the service's Export token and restart; check DFINERY_SERVICE_ID")
		return
	}
	g.log.Error("token refused by the API: all calls wait until its file changes", "file", g.source.String(), "next_try", g.next,
		"do", "put the service's Export token into the file; check DFINERY_SERVICE_ID")
}

// accept handles an answer that the API gives only to a valid token.
func (g *tokenGate) accept(token schema.Secret) {
	if g.refused && token == g.bad {
		g.refused, g.out = false, false
		g.log.Info("token accepted again: calls resume")
	}
}

func (g *tokenGate) status() TokenStatus {
	var st TokenStatus
	if g.refused {
		st.Refused, st.Until = true, g.next
	}
	if g.source != nil {
		st.FileErr = g.source.Err()
	}
	return st
}
