package connector

import (
	"log/slog"
	"time"

	"dfinery-kafka/schema"
)

// tokenRetry is the time between two calls with a token that the API refused.
const tokenRetry = 10 * time.Minute

// tokenGate holds all calls back while the API refuses the token: until its file holds another, with one try every tokenRetry.
// A refusal is not kept over a restart: that may well have brought the new token.
type tokenGate struct {
	file *TokenFile // nil: the token never changes
	log  *slog.Logger

	refused bool
	bad     Secret // the one refused; empty without a file
	next    time.Time
	out     bool // the try is under way

	problem string // of the file, as last logged
}

func (g *tokenGate) wait(now time.Time) schema.Wait {
	token, err := g.current()
	g.report()
	if err != nil {
		return schema.Wait{For: schema.WaitToken, Until: now.Add(tokenRetry)}
	}
	if g.refused && token != g.bad {
		g.refused, g.out = false, false
		g.log.Info("token changed: calls resume", "file", g.file.Path)
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

// report logs each change of what is wrong with the file.
func (g *tokenGate) report() {
	if g.file == nil {
		return
	}
	problem := ""
	if err := g.file.Err(); err != nil {
		problem = err.Error()
	}
	if problem != g.problem && problem != "" {
		g.log.Error("token file gives no token: one read before stays in use", "error", problem, "do", "put the Export token into the file")
	}
	g.problem = problem
}

func (g *tokenGate) current() (Secret, error) {
	if g.file == nil {
		return "", nil
	}
	return g.file.Secret()
}

// begin says whether the call that starts is the try with a refused token.
func (g *tokenGate) begin() (try bool) {
	g.out = g.refused
	return g.refused
}

// release ends the try, whatever came of it.
func (g *tokenGate) release(try bool) {
	if try {
		g.out = false
	}
}

// refuse takes the API's refusal of token; one that was replaced meanwhile says nothing about the present one.
func (g *tokenGate) refuse(token Secret, now time.Time) {
	if current, err := g.current(); err != nil || current != token {
		return
	}
	first := !g.refused
	g.refused, g.bad, g.out, g.next = true, token, false, now.Add(tokenRetry)
	if !first {
		return
	}
	if g.file == nil {
		g.log.Error("token refused by the API: all calls wait", "next_try", g.next,
			"do", "set DFINERY_EXPORT_TOKEN to the service's Export token and start again; compare DFINERY_SERVICE_ID")
		return
	}
	g.log.Error("token refused by the API: all calls wait until its file changes", "file", g.file.Path, "next_try", g.next,
		"do", "put the service's Export token into the file; compare DFINERY_SERVICE_ID")
}

// accept takes an answer that the API gives only to a good token.
func (g *tokenGate) accept(token Secret) {
	if g.refused && token == g.bad {
		g.refused, g.out = false, false
		g.log.Info("token accepted again: calls resume")
	}
}

// present is the token in use, empty when there is none.
func (g *tokenGate) present() Secret {
	token, _ := g.current()
	return token
}
