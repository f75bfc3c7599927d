package config

// wrapped reports whether a value starts and ends with the same quote. Shells, systemd and
// docker compose remove such quotes; docker run --env-file and kubectl --from-env-file keep
// them as part of the value.
func wrapped(value string) bool {
	last := len(value) - 1
	return last > 0 && value[0] == value[last] && (value[0] == '"' || value[0] == '\'')
}

const (
	wrappedFault = "the value is wrapped in quotes, which are part of it: docker run --env-file, for example, does not remove them. Write it without quotes"
	wrappedWarn  = "the value is wrapped in quotes, which are sent as part of it: docker run --env-file, for example, does not remove them. Write it without quotes unless they belong to it"
)
