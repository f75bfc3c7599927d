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
package config
