// Package registry registers the schemas of record values with a schema
// registry that has Confluent's API, and looks up their ids.
//
// It makes no decisions about streams: an Error says whether to retry later or to
// halt the stream, and with which code.
package registry
