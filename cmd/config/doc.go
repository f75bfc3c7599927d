// Package config reads the program's configuration from the environment, and promises that what it hands out is right:
// every fault is found at once, each names its variable and says what would be right, and no secret appears in any of them.
//
// The structs of config.go are the only declaration. A field's tags hold the variable's name (envconfig), its default, its meaning
// (desc) and its limits; reading, checking, the listing and the README's table all follow from them. An empty variable
// that has a default is a fault, since an unexpanded template must not silently become the default; only where empty means
// something (an empty list, no admin server) is it taken as given. Without a default, empty is the same as unset.
//
// kelseyhightower/envconfig converts the values. It reads the environment of the process and nothing else, so Load does too.
//
// The files:
//
//	config.go         every variable: its name, default, meaning and limits
//	load.go           Load, and the report of what is set and what is wrong
//	declaration.go    the structs' tags, read
//	read.go           one variable, read by envconfig
//	secret.go         secrets, and those in files
//	tokenfile.go      the Export token's file, read again when it changes
//	values.go         types of values: lists, names, zones, days, topics
//	enums.go          values that are one of a few words
//	address.go        URLs and addresses to listen at
//	brokers.go        addresses of brokers
//	codes.go          failures that the breaker counts
//	answers.go        how answers are read: charset, empty days
//	privacy.go        hidden columns and their key
//	registry.go       the schema registry
//	proxy.go          HTTP proxies
//	quotes.go         values that are still in quotes
//	check.go          rules between variables
//	check_streams.go  those of streams: filters, calls an hour, topics
//	check_login.go    those of a login at the brokers
//	unknown.go        variables that are set but unknown
//	table.go          the listing and the README's table
//	envfile.go        the template of an environment file
package config
