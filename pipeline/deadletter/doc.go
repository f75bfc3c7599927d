// Package deadletter writes dead letters and reads them: for the owner of a service,
// and for commands that list, show and select them. Type schema.DeadLetter is what
// their values hold.
package deadletter
