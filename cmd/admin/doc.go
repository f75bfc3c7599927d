// Package admin serves what a person on call, and their monitoring, see of one service: the status page, /runbook, /livez, /readyz, /metrics
// and /status.
//
// It holds no state of the service: each answer is made from snapshots taken for it. No answer, label or log line holds a secret.
//
// The files:
//
//	server.go     Server: how it starts and stops
//	handler.go    the paths
//	view.go       a snapshot; whether the instance is ready, whether it hangs
//	ask.go        /readyz of another instance, asked
//	status.go     /status
//	metrics.go    every metric, and the README's table of them
//	collector.go  their values, from a view
//	page*.go      the status page; page_browser_test.go tests it in a browser
//	runbook.go    /runbook
//	shared.go     one scrape's answer for all that wait for it
package admin
