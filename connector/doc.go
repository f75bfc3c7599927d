// Package connector is the source of exports. It combines package exportapi, which calls the
// DFINERY Export API and reads the answer, with package limiter, which decides when a call may
// be made.
//
// A Source makes calls only when the limits allow them, so that neither the quota nor a failing
// API is burdened with calls that can't succeed. What must survive a restart is its state. None
// of these packages depends on Kafka.
package connector
