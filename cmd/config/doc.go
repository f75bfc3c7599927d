// Package config reads and validates the program's configuration from the environment. All
// faults are reported at once; each names its variable and says how to correct it. No message
// contains a secret.
//
// The structs in config.go are the only declaration. A field's tags define the variable's name
// (envconfig), default, meaning (desc) and limits; reading, checking, the listing and the
// README's table are derived from them. An empty variable that has a default is a fault, so
// that an unexpanded template does not silently become the default, unless empty has a meaning
// (an empty list, no admin server). Without a default, empty is the same as unset.
//
// kelseyhightower/envconfig converts the values. It reads only the environment of the process,
// so Load does, too.
//
// The files:
//
//	config.go         every variable: its name, default, meaning and limits
//	load.go           Load, and the report of values, warnings and faults
//	declaration.go    the declarations in the structs' tags
//	read.go           one variable, read by envconfig
//	secret.go         secrets, and those in files
//	tokenfile.go      the Export token's file, read again when it changes
//	values.go         types of values: lists, names, zones, days, topics
//	enums.go          values that are one of a fixed list
//	address.go        URLs and addresses to listen at
//	brokers.go        addresses of brokers
//	codes.go          failures that the breaker counts
//	answers.go        how answers are read: charset, empty days
//	privacy.go        hidden columns and their key
//	registry.go       the schema registry
//	proxy.go          HTTP proxies
//	quotes.go         values wrapped in quotes
//	check.go          rules between variables
//	check_streams.go  those of streams: filters, calls an hour, topics
//	check_login.go    those of a login at the brokers
//	unknown.go        variables that are set but unknown
//	table.go          the listing and the README's table
//	envfile.go        the template of an environment file
package config
