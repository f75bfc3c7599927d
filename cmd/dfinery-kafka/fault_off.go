//go:build !faults

package main

// faultPoint does nothing in this build. Binaries built with the tag faults can be crashed
// between two steps.
func faultPoint() func(string) { return nil }
