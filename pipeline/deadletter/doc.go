// Package deadletter writes and reads dead letters, for the owner of a service and for
// the commands that list, show and select them. Their values are of type
// schema.DeadLetter.
package deadletter
