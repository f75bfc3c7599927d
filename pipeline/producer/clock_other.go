//go:build !linux

package producer

import "time"

// bootTime is not to be had here: the wall clock alone tells of a suspended machine.
func bootTime() time.Duration { return 0 }
