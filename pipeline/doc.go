// Package pipeline is the loop of one service: it exports the days that are due, and keeps the ledger equal to what Kafka has acknowledged.
//
// It knows no HTTP: a Source is joined to it by cmd/app.
//
// Service.Run makes one tenure after the other, a tenure being one ownership of the service. Package schedule decides which day is exported
// next, and package transfer moves its rows into Kafka, beside the loop, which pauses them between two rows for a checkpoint.
package pipeline
