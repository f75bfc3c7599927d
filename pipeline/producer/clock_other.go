//go:build !linux

package producer

import "time"

// bootTime is not available here: only the wall clock shows that the machine was suspended.
func bootTime() time.Duration { return 0 }
