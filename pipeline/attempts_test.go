package pipeline

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestAttempts_Pause: pauses grow up to a limit, are as long as they are asked to be,
// and begin anew after a success.
func TestAttempts_Pause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttempts(0)
		took := func(least time.Duration) time.Duration {
			began := time.Now()
			a.pause(t.Context(), least)
			return time.Since(began)
		}
		if d := took(0); d < 50*time.Millisecond || d > 150*time.Millisecond {
			t.Errorf("the first pause is %s", d)
		}
		if d := took(time.Minute); d != time.Minute {
			t.Errorf("a pause of a minute is %s", d)
		}
		for range 20 {
			if d := took(0); d > 23*time.Second {
				t.Errorf("a pause is %s", d)
			}
		}
		if d := took(0); d < 7*time.Second {
			t.Errorf("after many attempts a pause is %s", d)
		}
		a.succeeded()
		if d := took(0); d > 150*time.Millisecond {
			t.Errorf("after a success the first pause is %s", d)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		began := time.Now()
		if a.pause(ctx, time.Hour); time.Since(began) != time.Second {
			t.Errorf("a pause outlasts the end of Run by %s", time.Since(began)-time.Second)
		}
	})
}

// TestAttempts_Patience: without patience attempts never end; with it no pause reaches
// beyond, and a success begins it anew.
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
			t.Error("attempts without a limit have one")
		}
	})
}
