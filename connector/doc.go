// Package connector is the source of exports: it joins package exportapi, which makes a call of the DFINERY Export API and reads its answer, and
// package limiter, which says when a call may be made.
//
// A Source makes calls when the limits grant them, so that neither the quota nor an API that is unwell is burdened with calls that can't
// succeed, and keeps what has to survive a restart as its state. None of these packages knows Kafka.
package connector
