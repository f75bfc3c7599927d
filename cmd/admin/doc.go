// Package admin is the HTTP server for operators and monitoring of one service: the status
// page, /runbook, /livez, /readyz, /metrics and /status. It has no state of the service: each
// response is computed from a new snapshot. No response, label or log line contains a secret.
package admin
