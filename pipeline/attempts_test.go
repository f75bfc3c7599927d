package pipeline

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestAttempts_Pause: pauses grow up to a limit, are at least as long as requested, start at
// the minimum again after a success, and end with their context.
func TestAttempts_Pause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttempts(0)
		took := func(least time.Duration) time.Duration {
			began := time.Now()
			a.pause(t.Context(), least)
			return time.Since(began)
		}
		if d := took(0); d < 50*time.Millisecond || d > 150*time.Millisecond {
			t.Errorf("the first pause is %s, want about 100ms", d)
		}
		if d := took(time.Minute); d != time.Minute {
			t.Errorf("a pause of at least a minute is %s", d)
		}
		for range 20 {
			if d := took(0); d > 23*time.Second {
				t.Errorf("a pause is %s, want at most 23s", d)
			}
		}
		if d := took(0); d < 7*time.Second {
			t.Errorf("after many attempts a pause is %s, want at least 7s", d)
		}
		a.succeeded()
		if d := took(0); d > 150*time.Millisecond {
			t.Errorf("after a success the first pause is %s", d)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		began := time.Now()
		if a.pause(ctx, time.Hour); time.Since(began) != time.Second {
			t.Errorf("a pause ends %s after its context", time.Since(began)-time.Second)
		}
	})
}

// TestAttempts_Patience: a limit of the time for attempts shortens pauses to its end, and
// starts again after a success. Without a limit attempts never end.
func TestAttempts_Patience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forever, bounded := newAttempts(0), newAttempts(20*time.Second)
		time.Sleep(15 * time.Second)
		bounded.succeeded()
		began := time.Now()
		bounded.pause(t.Context(), time.Hour)
		if took := time.Since(began); took != 20*time.Second || !bounded.exhausted() {
			t.Errorf("attempts last %s, exhausted %t, want 20s", took, bounded.exhausted())
		}
		if time.Sleep(1000 * time.Hour); forever.exhausted() {
			t.Error("attempts without a limit are exhausted")
		}
	})
}
