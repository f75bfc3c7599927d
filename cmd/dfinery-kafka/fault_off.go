//go:build !faults

package main

// faultPoint is for binaries built with the tag faults alone: their tests crash them between two steps.
func faultPoint() func(string) { return nil }
