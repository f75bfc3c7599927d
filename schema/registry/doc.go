// Package registry registers the schemas of record values with a schema
// registry that speaks Confluent's API, and looks their ids up.
//
// It decides nothing about streams: an Error says whether to wait and try again
// or to halt, and with which code.
package registry
