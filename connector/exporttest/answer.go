package exporttest

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"dfinery-kafka/schema"
)

// answer is the answer to one call. It is owned by the call's handler; the Call that it fills
// is guarded by the server's lock.
type answer struct {
	s        *Server
	w        http.ResponseWriter
	r        *http.Request
	call     *Call
	fault    Fault
	admitted bool // counted as active by the window
	released bool
}

func (a *answer) update(change func(*Call)) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	change(a.call)
}

func (a *answer) snapshot() Call {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	return *a.call
}

// release marks the call as ended in the server's record. It must happen before the client can
// see the end of the answer, as the client may make its next call at once.
func (a *answer) release() {
	if a.released {
		return
	}
	a.released = true
	now := a.s.now()
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.call.Ended = now
	a.s.running--
	if a.admitted {
		a.s.window.end(&a.s.Limits, a.call.N, !a.call.Whole)
	}
}

// serve answers a call that is not refused.
func (a *answer) serve() {
	f := &a.fault
	if f.Hang {
		<-a.r.Context().Done()
		return
	}
	if wait(a.r.Context(), f.Delay) != nil {
		return
	}
	if f.Drop {
		panic(http.ErrAbortHandler) // net/http closes the connection; release is deferred
	}
	a.setHeaders()
	switch {
	case f.Redirect != "":
		a.w.Header().Set("Location", f.Redirect)
		a.send(http.StatusTemporaryRedirect, "", nil)
	case f.Code != "":
		a.fail(f.Code)
	case f.Page != "":
		a.send(f.Status, "text/html; charset=utf-8", []byte(f.Page))
	case f.Empty:
		a.send(f.Status, "text/csv; charset=utf-8", nil)
	case f.Status != 0:
		a.send(f.Status, "", nil)
	default:
		a.export()
	}
}

// setHeaders adds the fault's headers to the answer.
func (a *answer) setHeaders() {
	f, h := &a.fault, a.w.Header()
	if f.DateOff != 0 {
		h.Set("Date", a.s.now().Add(f.DateOff).UTC().Format(http.TimeFormat))
	}
	if f.EchoToken {
		h.Set("X-Request-Authorization", a.r.Header.Get("Authorization"))
	}
	for name, values := range f.Header {
		h[name] = values
	}
}

// fail answers with the API's JSON.
func (a *answer) fail(code schema.Code) {
	answered := status(code)
	if a.fault.Status != 0 {
		answered = a.fault.Status
	}
	a.update(func(c *Call) { c.Code = code })
	a.send(answered, "application/json", a.failure(code))
}

// failure is the API's JSON, with the caller's token if the fault says so.
func (a *answer) failure(code schema.Code) []byte {
	body := struct {
		Result        string      `json:"result"`
		Message       schema.Code `json:"message"`
		Authorization string      `json:"authorization,omitempty"`
	}{Result: "fail", Message: code}
	if a.fault.EchoToken {
		body.Authorization = a.r.Header.Get("Authorization")
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // three strings always have a JSON form
	}
	return text
}

// send answers with a complete body.
func (a *answer) send(status int, contentType string, body []byte) {
	if status == 0 {
		status = http.StatusOK
	}
	a.contentType(contentType)
	a.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	a.update(func(c *Call) { c.Status = status })
	a.release()
	a.w.WriteHeader(status)
	_, _ = a.w.Write(body) // fails only when the client went away
}

func (a *answer) contentType(right string) {
	if t := cmp.Or(a.fault.ContentType, right); t != "" {
		a.w.Header().Set("Content-Type", t)
	}
}

// wait returns nil after d, or earlier with errGone when the context ends.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return errGone
	}
}
