package cluster

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// numbered opens connections whose peer answers each request with the connection's number.
type numbered struct {
	t        *testing.T
	lifetime time.Duration
	opened   int

	mu     sync.Mutex // guards closed
	closed []int
}

func (n *numbered) open(ctx context.Context) (net.Conn, time.Duration, error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	ours, theirs := net.Pipe()
	n.opened++
	number := n.opened
	go func() {
		for b := make([]byte, 1); ; {
			if _, err := io.ReadFull(theirs, b); err != nil {
				n.mu.Lock()
				defer n.mu.Unlock()
				n.closed = append(n.closed, number)
				return
			}
			if b[0] == '?' { // the end of a request
				fmt.Fprint(theirs, number)
			}
		}
	}()
	return ours, n.lifetime, nil
}

func ask(t *testing.T, conn net.Conn, after time.Duration) string {
	t.Helper()
	time.Sleep(after)
	if _, err := conn.Write([]byte("?")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 1)
	if _, err := io.ReadFull(conn, answer); err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// TestExpiring: shortly before its login expires, a connection is replaced for the next request,
// but not within a request.
func TestExpiring(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &numbered{t: t, lifetime: 10 * time.Second}
		first, lifetime, _ := n.open(t.Context())
		conn := newExpiring(first, lifetime, n.open)
		got := []string{ask(t, conn, 0), ask(t, conn, 7*time.Second), ask(t, conn, 2*time.Second), ask(t, conn, time.Hour)}
		if want := []string{"1", "1", "2", "3"}; !slices.Equal(got, want) {
			t.Errorf("answers %v, want %v", got, want)
		}
		if _, err := conn.Write([]byte("-")); err != nil { // the first part of a request
			t.Fatal(err)
		}
		if got := ask(t, conn, 9*time.Second); got != "3" {
			t.Errorf("the second part of a request was sent on connection %s", got)
		}
		conn.Close()
		synctest.Wait()
		n.mu.Lock()
		defer n.mu.Unlock()
		if want := []int{1, 2, 3}; !slices.Equal(n.closed, want) {
			t.Errorf("closed %v, want %v", n.closed, want)
		}
	})
}

// TestExpiringEnds: Close and a deadline end a Write that waits for a new connection.
func TestExpiringEnds(t *testing.T) {
	for name, end := range map[string]func(*expiring){
		"closed":   func(e *expiring) { go func() { time.Sleep(time.Second); e.Close() }() },
		"deadline": func(e *expiring) { e.SetDeadline(time.Now().Add(time.Second)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first, _ := net.Pipe()
				conn := newExpiring(first, time.Second, func(ctx context.Context) (net.Conn, time.Duration, error) {
					<-ctx.Done()
					return nil, 0, ctx.Err()
				})
				time.Sleep(time.Minute)
				end(conn)
				began := time.Now()
				if _, err := conn.Write([]byte("?")); err == nil || time.Since(began) != time.Second {
					t.Errorf("Write() = %v after %s", err, time.Since(began))
				}
			})
		})
	}
}

// TestRenewal: a login without an expiration is never renewed.
func TestRenewal(t *testing.T) {
	if got := renewal(0); !got.IsZero() {
		t.Errorf("renewal(0) = %v", got)
	}
}
