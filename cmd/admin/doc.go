// Package admin is the HTTP server for operators and monitoring of one service: the status
// page, /runbook, /livez, /readyz, /metrics and /status. It has no state of the service: each
// response is computed from a new snapshot. No response, label or log line contains a secret.
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
