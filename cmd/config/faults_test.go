package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/config"
)

func TestFaults(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "empty", "\n")
	writeFile(t, dir, "large", strings.Repeat("x", 70_000))
	writeFile(t, dir, "text", "no PEM")
	writeFile(t, dir, "bom", "\ufeff"+canary+"\n")
	writeFile(t, dir, "utf16", "\xff\xfec\x004\x00\n\x00")
	writeFile(t, dir, "lines", canary+"\r\nmore\r\n")
	writeFile(t, dir, "words", canary+" more\n")
	writeFile(t, dir, "quoted", "\""+canary+"\"\n")
	writePair(t, dir, "one")
	writePair(t, dir, "two")
	const token, file = "DFINERY_EXPORT_TOKEN", "DFINERY_EXPORT_TOKEN_FILE"
	userprofile := "STREAM_EVENTS_EXPORT"
	const quotes = "the value is wrapped in quotes, which are part of it: docker run --env-file, for example, does not remove them. Write it without quotes"
	tests := map[string]struct {
		set  map[string]string
		want string // the faults, one in each line
	}{
		"all at once": {
			map[string]string{"DFINERY_SERVICE_ID": "unset", token: "unset", "KAFKA_BROKERS": "", "LOG_LEVEL": "loud", "STREAM_EVENTS_TOPIK": "x"},
			`DFINERY_SERVICE_ID: is required: for example 1234
KAFKA_BROKERS: is required: for example kafka-1:9092,kafka-2:9092
LOG_LEVEL: "loud" is none of debug, info, warn, error
DFINERY_EXPORT_TOKEN: is required, or DFINERY_EXPORT_TOKEN_FILE
STREAM_EVENTS_TOPIK: unknown variable: did you mean STREAM_EVENTS_TOPIC?`,
		},
		"empty where a default is": {map[string]string{"KAFKA_TLS": ""}, `KAFKA_TLS: is empty: give it a value, or remove it for the default false`},
		"service in quotes":        {map[string]string{"DFINERY_SERVICE_ID": `"1234"`}, "DFINERY_SERVICE_ID: " + quotes},
		"everything in quotes": {
			map[string]string{"KAFKA_BROKERS": `"kafka:9092"`, "STREAM_EVENTS_EVENTS": `'a,b'`, "STREAM_EVENTS_KEY": `""`, "KAFKA_TLS": `"true"`, "RETRY_BACKOFF": `'1s'`, "KAFKA_TLS_CA_FILE": `"DIR/one.pem"`},
			"STREAM_EVENTS_EVENTS: " + quotes + "\nSTREAM_EVENTS_KEY: " + quotes + "\nKAFKA_BROKERS: " + quotes + "\nKAFKA_TLS: " + quotes + "\nKAFKA_TLS_CA_FILE: " + quotes + "\nRETRY_BACKOFF: " + quotes,
		},
		"some in quotes": {
			map[string]string{"STREAM_EVENTS_EVENTS": `df_login, "df_purchase"`, "KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SASL_USERNAME": `"me"`, "KAFKA_SASL_PASSWORD": canary, "SSL_CERT_FILE": "'/ca.pem'"},
			`STREAM_EVENTS_EVENTS: names "df_purchase" in quotes, which are part of the name: remove them` + "\nKAFKA_SASL_USERNAME: " + quotes + "\nSSL_CERT_FILE: " + quotes,
		},
		"a file with Windows line ends": {map[string]string{"KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SASL_USERNAME": "me\r", "KAFKA_SASL_PASSWORD": canary + "\r"},
			`KAFKA_SASL_USERNAME: "me\r" holds a control character: a file with Windows line ends, for one, leaves \r at the end of each value`},
		"service with a slash": {map[string]string{"DFINERY_SERVICE_ID": "a/b"}, `DFINERY_SERVICE_ID: can't be a service id: one word of ASCII without a slash`},

		"url without scheme":    {map[string]string{"DFINERY_BASE_URL": "openapi.dfinery.ai"}, `DFINERY_BASE_URL: is not a URL such as https://openapi.dfinery.ai`},
		"url of another scheme": {map[string]string{"DFINERY_BASE_URL": "ftp://openapi.dfinery.ai"}, `DFINERY_BASE_URL: must begin with https://`},
		"url with a user":       {map[string]string{"DFINERY_BASE_URL": "https://me:" + canary + "@dfinery.ai"}, `DFINERY_BASE_URL: must not contain a user or password: set the token in DFINERY_EXPORT_TOKEN`},
		"url wrong in all it can be": {map[string]string{"DFINERY_BASE_URL": "ftp://me:" + canary + "@:99999/api/v1?t=1"}, `DFINERY_BASE_URL: must begin with https://
DFINERY_BASE_URL: must not contain a user or password: set the token in DFINERY_EXPORT_TOKEN
DFINERY_BASE_URL: must end before ? and #: set the service in DFINERY_SERVICE_ID
DFINERY_BASE_URL: must end before /api/v1, which is added
DFINERY_BASE_URL: has no valid host and port`},
		"url with a query":           {map[string]string{"DFINERY_BASE_URL": "https://dfinery.ai?t=" + canary}, `DFINERY_BASE_URL: must end before ? and #: set the service in DFINERY_SERVICE_ID`},
		"url with an empty query":    {map[string]string{"DFINERY_BASE_URL": "https://dfinery.ai?"}, `DFINERY_BASE_URL: must end before ? and #: set the service in DFINERY_SERVICE_ID`},
		"url with an empty fragment": {map[string]string{"DFINERY_BASE_URL": "https://dfinery.ai#"}, `DFINERY_BASE_URL: must end before ? and #: set the service in DFINERY_SERVICE_ID`},
		"url with the API":           {map[string]string{"DFINERY_BASE_URL": "https://dfinery.ai/api/v1/"}, `DFINERY_BASE_URL: must end before /api/v1, which is added`},
		"url with a wrong port":      {map[string]string{"DFINERY_BASE_URL": "https://dfinery.ai:99999"}, `DFINERY_BASE_URL: has no valid host and port`},
		"url that can't parse":       {map[string]string{"DFINERY_BASE_URL": "https://" + canary + "%zz"}, `DFINERY_BASE_URL: is not a URL such as https://openapi.dfinery.ai`},

		"token twice":               {map[string]string{file: "DIR/one.key"}, file + `: is set together with DFINERY_EXPORT_TOKEN: keep only one of them`},
		"token's file missing":      {map[string]string{token: "unset", file: "DIR/nothing"}, file + `: names a file that can't be used: DIR/nothing: no such file or directory`},
		"token's file a directory":  {map[string]string{token: "unset", file: "DIR"}, file + `: names a file that can't be used: DIR: is a directory`},
		"token's file empty":        {map[string]string{token: "unset", file: "DIR/empty"}, file + `: names a file that can't be used: DIR/empty is empty`},
		"token's file large":        {map[string]string{token: "unset", file: "DIR/large"}, file + `: names a file that can't be used: DIR/large is too large for a secret`},
		"token of blanks":           {map[string]string{token: "  \n"}, token + `: is required, or DFINERY_EXPORT_TOKEN_FILE`},
		"token of two lines":        {map[string]string{token: canary + "\nX: y"}, token + `: has several lines: a secret is one line`},
		"token of two words":        {map[string]string{token: canary + " y"}, token + `: has a character inside the token that is invalid in an HTTP header, such as a blank or a letter that is not ASCII`},
		"token in quotes":           {map[string]string{token: `"` + canary + `"`}, token + ": " + quotes},
		"token's file with a BOM":   {map[string]string{token: "unset", file: "DIR/bom"}, file + `: names a file that can't be used: DIR/bom starts with a byte order mark: save it as UTF-8 without one`},
		"token's file in UTF-16":    {map[string]string{token: "unset", file: "DIR/utf16"}, file + `: names a file that can't be used: DIR/utf16 is in UTF-16 or contains a NUL character: save it as UTF-8 without a byte order mark`},
		"token's file of two lines": {map[string]string{token: "unset", file: "DIR/lines"}, file + `: names a file that can't be used: DIR/lines has several lines: a secret is one line`},
		"token's file of two words": {map[string]string{token: "unset", file: "DIR/words"}, file + `: names a file that can't be used: DIR/words has a character inside the token that is invalid in an HTTP header, such as a blank or a letter that is not ASCII`},
		"token's file in quotes":    {map[string]string{token: "unset", file: "DIR/quoted"}, file + `: names a file that can't be used: DIR/quoted has the token in quotes: remove them`},
		"password's file of two lines": {map[string]string{"KAFKA_SASL_MECHANISM": "SCRAM-SHA-256", "KAFKA_SASL_USERNAME": "me", "KAFKA_SASL_PASSWORD_FILE": "DIR/lines"},
			`KAFKA_SASL_PASSWORD_FILE: names a file that can't be used: DIR/lines has several lines: a secret is one line`},

		"zone":               {map[string]string{"DFINERY_TIMEZONE": "Seoul"}, `DFINERY_TIMEZONE: "Seoul" is not the IANA name of a time zone, such as Asia/Seoul or UTC`},
		"the machine's zone": {map[string]string{"DFINERY_TIMEZONE": "Local"}, `DFINERY_TIMEZONE: "Local" is not the IANA name of a time zone, such as Asia/Seoul or UTC`},
		"enum":               {map[string]string{"DFINERY_TO_DATE": "Inclusive"}, `DFINERY_TO_DATE: "Inclusive" is none of inclusive, exclusive`},
		"number":             {map[string]string{"DFINERY_CONCURRENT_CALLS": "five"}, `DFINERY_CONCURRENT_CALLS: "five" is not a whole number`},
		"octal":              {map[string]string{"KAFKA_PARTITIONS": "010"}, `KAFKA_PARTITIONS: "010" is not a whole number`},
		"number too small":   {map[string]string{"BREAKER_FAILURES": "0"}, `BREAKER_FAILURES: 0 is too little: at least 1`},
		"number too large":   {map[string]string{"KAFKA_REPLICATION_FACTOR": "32768"}, `KAFKA_REPLICATION_FACTOR: 32768 is out of range: -1 to 32767`},
		"no replicas":        {map[string]string{"KAFKA_REPLICATION_FACTOR": "0"}, `KAFKA_REPLICATION_FACTOR: 0 replicas are not possible: set 1 or more, or -1 for the brokers' default`},
		"duration":           {map[string]string{"RETRY_BACKOFF": "10"}, `RETRY_BACKOFF: "10" is not a duration such as 500ms, 30s or 1h30m`},
		"charset":            {map[string]string{"DFINERY_CHARSET": "klingon"}, `DFINERY_CHARSET: charset "klingon" is not supported: for example utf-8, euc-kr, cp949, shift_jis, gb18030, big5, utf-16, iso-8859-1`},
		"empty day":          {map[string]string{"DFINERY_EMPTY_DAY": "204,500"}, `DFINERY_EMPTY_DAY: "500" is neither error nor one of 204, 404, empty`},
		"empty day, both":    {map[string]string{"DFINERY_EMPTY_DAY": "error,204"}, `DFINERY_EMPTY_DAY: error can't be combined with other values`},
		"share":              {map[string]string{"STREAM_EVENTS_MAX_BAD": "0.5"}, `STREAM_EVENTS_MAX_BAD: "0.5" is neither a share such as 50%, 0% to 100%, nor off`},
		"too large a share":  {map[string]string{"STREAM_EVENTS_MAX_BAD": "101%"}, `STREAM_EVENTS_MAX_BAD: "101%" is neither a share such as 50%, 0% to 100%, nor off`},
		"no duration":        {map[string]string{"DFINERY_IDLE_TIMEOUT": "0s"}, `DFINERY_IDLE_TIMEOUT: 0s is not more than zero`},
		"duration too short": {map[string]string{"CHECKPOINT_INTERVAL": "99ms"}, `CHECKPOINT_INTERVAL: 99ms is too little: at least 100ms`},
		"duration too long":  {map[string]string{"FENCE_RENEWAL": "13h"}, `FENCE_RENEWAL: 13h is out of range: 1ms to 12h`},
		"truth":              {map[string]string{"KAFKA_CREATE_TOPICS": "yes"}, `KAFKA_CREATE_TOPICS: "yes" is neither true nor false`},

		"no streams":    {map[string]string{"STREAMS": " , "}, `STREAMS: names no stream: for example events`},
		"stream twice":  {map[string]string{"STREAMS": "a,b,a"}, `STREAMS: names "a" twice`},
		"streams twice": {map[string]string{"STREAMS": "a,b,a,b,a"}, "STREAMS: names \"a\" twice\nSTREAMS: names \"b\" twice"},
		"wrong in all they can be": {map[string]string{"STREAMS": "a,a,b b,Users,events", "STREAM_EVENTS_START": "x", "STREAM_EVENTS_TOPIK": "x", "STREAM_USERS_KAY": "x", "STREAM_B_TOPIC": "x"},
			`STREAMS: names "a" twice
STREAMS: "b b" can't name a stream: lower-case letters and digits, a letter first, such as events
STREAMS: "Users" can't name a stream: lower-case letters and digits, a letter first, such as events
STREAM_EVENTS_START: "x" is not 0 (today alone) to 30 days before today, nor a date such as 2026-11-23
STREAM_EVENTS_TOPIK: unknown variable: did you mean STREAM_EVENTS_TOPIC?
STREAM_USERS_KAY: unknown variable: did you mean STREAM_USERS_KEY?`},
		"a list of events": {map[string]string{"STREAM_EVENTS_EVENTS": "a,b,a,b"}, "STREAM_EVENTS_EVENTS: names \"a\" twice\nSTREAM_EVENTS_EVENTS: names \"b\" twice"},
		"stream's name":    {map[string]string{"STREAMS": "My-Events", "STREAM_MY_TOPIC": "x"}, `STREAMS: "My-Events" can't name a stream: lower-case letters and digits, a letter first, such as events`},
		"topic's name":     {map[string]string{"STREAM_EVENTS_TOPIC": "a b"}, `STREAM_EVENTS_TOPIC: "a b" can't name a topic: up to 249 letters, digits, dots, dashes and underscores`},
		"topic of dots":    {map[string]string{"STREAM_EVENTS_TOPIC": ".."}, `STREAM_EVENTS_TOPIC: ".." can't name a topic: up to 249 letters, digits, dots, dashes and underscores`},
		"ledger too long":  {map[string]string{"LEDGER_TOPIC": strings.Repeat("a", 245)}, `LEDGER_TOPIC: is too long: with .rows appended it has more than 249 characters`},
		"topic twice":      {map[string]string{"STREAMS": "a,b", "STREAM_A_TOPIC": "t", "STREAM_B_TOPIC": "t"}, `STREAM_B_TOPIC: t is already the topic of STREAM_A_TOPIC`},
		"topic of rows":    {map[string]string{"STREAM_EVENTS_TOPIC": "dfinery.ledger.rows"}, `STREAM_EVENTS_TOPIC: dfinery.ledger.rows is already the topic of LEDGER_TOPIC`},
		"topics to Kafka":  {map[string]string{"STREAM_EVENTS_TOPIC": "dfinery_ledger"}, `STREAM_EVENTS_TOPIC: dfinery_ledger collides with LEDGER_TOPIC's topic dfinery.ledger: Kafka treats dots and underscores as equal`},
		"start too old":    {map[string]string{"STREAM_EVENTS_START": "31"}, `STREAM_EVENTS_START: "31" is not 0 (today alone) to 30 days before today, nor a date such as 2026-11-23`},
		"start of digits":  {map[string]string{"STREAM_EVENTS_START": "20261123"}, `STREAM_EVENTS_START: "20261123" is not 0 (today alone) to 30 days before today, nor a date such as 2026-11-23`},
		"start":            {map[string]string{"STREAM_EVENTS_START": "2026-02-30"}, `STREAM_EVENTS_START: "2026-02-30" is not 0 (today alone) to 30 days before today, nor a date such as 2026-11-23`},
		"lookback":         {map[string]string{"STREAM_EVENTS_LOOKBACK": "30"}, `STREAM_EVENTS_LOOKBACK: 30 is out of range: 0 to 29`},
		"empty cells":      {map[string]string{"STREAM_EVENTS_EMPTY": ""}, `STREAM_EVENTS_EMPTY: is empty: give it a value, or remove it for the default omit`},
		"columns of json":  {map[string]string{"STREAM_EVENTS_COLUMNS": "a:long"}, `STREAM_EVENTS_COLUMNS: is set, but STREAM_EVENTS_FORMAT is json, which has no types; set json-typed, json-schema, avro or protobuf`},
		"types of json, in the order of the README": {map[string]string{"STREAM_EVENTS_BAD_VALUE": "null", "STREAM_EVENTS_COLUMNS": "a:long"}, `STREAM_EVENTS_COLUMNS: is set, but STREAM_EVENTS_FORMAT is json, which has no types; set json-typed, json-schema, avro or protobuf
STREAM_EVENTS_BAD_VALUE: is set, but STREAM_EVENTS_FORMAT is json, which has no types; set json-typed, json-schema, avro or protobuf`},
		"a column's type":  {map[string]string{"STREAM_EVENTS_FORMAT": "json-typed", "STREAM_EVENTS_COLUMNS": "a:int"}, `STREAM_EVENTS_COLUMNS: column a: unknown type "int"; use string, long, double, boolean, date, datetime, datetime(6), decimal(p,s), array<string>, array<long> or array<double>`},
		"a column twice":   {map[string]string{"STREAM_EVENTS_FORMAT": "json-typed", "STREAM_EVENTS_COLUMNS": "a:long,a:double"}, `STREAM_EVENTS_COLUMNS: column a is declared twice`},
		"a field twice":    {map[string]string{"STREAM_EVENTS_FORMAT": "json-typed", "STREAM_EVENTS_COLUMNS": "a:long:b,b:double"}, `STREAM_EVENTS_COLUMNS: columns a and b are both named b`},
		"no registry":      {map[string]string{"STREAM_EVENTS_FORMAT": "avro"}, `SCHEMA_REGISTRY_URL: is required: STREAM_EVENTS_FORMAT is a format with schemas; without a registry use json-typed`},
		"record of json":   {map[string]string{"STREAM_EVENTS_RECORD": "a"}, `STREAM_EVENTS_RECORD: is set, but STREAM_EVENTS_FORMAT is json, which has no schemas; set json-schema, avro or protobuf`},
		"record's name":    {map[string]string{"STREAM_EVENTS_FORMAT": "avro", "SCHEMA_REGISTRY_URL": "http://r", "STREAM_EVENTS_RECORD": "shop..Event"}, `STREAM_EVENTS_RECORD: "shop..Event" is not a full name such as shop.Event: a part between its dots is empty`},
		"page's URL":       {map[string]string{"RUNBOOK_URL": "https://me:" + canary + "@wiki"}, `RUNBOOK_URL: is not a URL such as https://wiki.example/dfinery-runbook`},
		"registry's URL":   {map[string]string{"SCHEMA_REGISTRY_URL": "https://me:" + canary + "@registry"}, `SCHEMA_REGISTRY_URL: must hold no user or password; set SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD`},
		"registry alone":   {map[string]string{"SCHEMA_REGISTRY_TOKEN": "t"}, `SCHEMA_REGISTRY_TOKEN: is set, but SCHEMA_REGISTRY_URL is not`},
		"events both ways": {map[string]string{"STREAM_EVENTS_EVENTS": "a", "STREAM_EVENTS_EXCLUDE_EVENTS": "b"}, `STREAM_EVENTS_EXCLUDE_EVENTS: is set together with STREAM_EVENTS_EVENTS: the API accepts only one of them`},
		"properties both ways": {map[string]string{"STREAM_EVENTS_PROPERTIES": "a", "STREAM_EVENTS_EXCLUDE_PROPERTIES": "b"},
			`STREAM_EVENTS_EXCLUDE_PROPERTIES: is set together with STREAM_EVENTS_PROPERTIES: the API accepts only one of them`},
		"audience of events": {map[string]string{"STREAM_EVENTS_AUDIENCE": "7"}, `STREAM_EVENTS_AUDIENCE: is only for userprofile streams, but STREAM_EVENTS_EXPORT is event`},
		"changes of events": {map[string]string{"STREAM_EVENTS_MODE": "changes", "STREAM_EVENTS_DELETES": "never"}, `STREAM_EVENTS_MODE: is only for userprofile streams, but STREAM_EVENTS_EXPORT is event
STREAM_EVENTS_DELETES: is only for userprofile streams, but STREAM_EVENTS_EXPORT is event`},
		"a mode": {map[string]string{userprofile: "userprofile", "STREAM_EVENTS_MODE": "some", "STREAM_EVENTS_DELETE_AFTER": "-1s"}, `STREAM_EVENTS_MODE: "some" is none of all, changes
STREAM_EVENTS_DELETE_AFTER: -1s is too little: at least 0s`},
		"deletes of all profiles": {map[string]string{userprofile: "userprofile", "STREAM_EVENTS_DELETES": "never", "STREAM_EVENTS_DELETE_AFTER": "1h", "STREAM_EVENTS_DELETE_MOST": "5%"},
			`STREAM_EVENTS_DELETES: is set, but STREAM_EVENTS_MODE is all; only MODE=changes deletes profiles
STREAM_EVENTS_DELETE_AFTER: is set, but STREAM_EVENTS_MODE is all; only MODE=changes deletes profiles
STREAM_EVENTS_DELETE_MOST: is set, but STREAM_EVENTS_MODE is all; only MODE=changes deletes profiles`},
		"events of profiles": {map[string]string{userprofile: "userprofile", "STREAM_EVENTS_EVENTS": "a", "STREAM_EVENTS_LOOKBACK": "1", "STREAM_EVENTS_LOOKBACK_INTERVAL": "1h", "STREAM_EVENTS_START": "0"},
			`STREAM_EVENTS_EVENTS: is only for event streams, but STREAM_EVENTS_EXPORT is userprofile
STREAM_EVENTS_LOOKBACK: is only for event streams, but STREAM_EVENTS_EXPORT is userprofile
STREAM_EVENTS_LOOKBACK_INTERVAL: is only for event streams, but STREAM_EVENTS_EXPORT is userprofile
STREAM_EVENTS_START: is only for event streams, but STREAM_EVENTS_EXPORT is userprofile`},
		"neither kind": {map[string]string{userprofile: "profile", "STREAM_EVENTS_EVENTS": "a", "STREAM_EVENTS_AUDIENCE": "7"}, `STREAM_EVENTS_EXPORT: "profile" is none of event, userprofile`},
		"too many polls": {map[string]string{"STREAMS": "a,b", "STREAM_A_POLL_INTERVAL": "1m", "STREAM_A_LOOKBACK_INTERVAL": "10m", "STREAM_B_POLL_INTERVAL": "2m", "STREAM_B_START": "0"},
			`DFINERY_CALLS_PER_HOUR: polls alone need 102 calls an hour (a 72, b 30), but 100 are allowed: increase STREAM_A_POLL_INTERVAL, STREAM_B_POLL_INTERVAL or the lookback intervals, or raise the limit if the service has more`},

		"no quota":              {map[string]string{"DFINERY_CALLS_PER_HOUR": "0"}, `DFINERY_CALLS_PER_HOUR: 0 is too little: at least 1`},
		"brokers of commas":     {map[string]string{"KAFKA_BROKERS": ","}, `KAFKA_BROKERS: names no broker: for example kafka-1:9092,kafka-2:9092`},
		"broker without a port": {map[string]string{"KAFKA_BROKERS": "a:1,kafka"}, `KAFKA_BROKERS: "kafka" has no port: write kafka:9092 if that is where it listens`},
		"broker with a scheme":  {map[string]string{"KAFKA_BROKERS": "SASL_SSL://kafka:9092"}, `KAFKA_BROKERS: must hold host:port only: write kafka:9092`},
		"broker with a user":    {map[string]string{"KAFKA_BROKERS": "me:" + canary + "@kafka:9092"}, `KAFKA_BROKERS: must contain only host:port: set the user in KAFKA_SASL_USERNAME`},
		"brokers each wrong": {map[string]string{"KAFKA_BROKERS": "kafka,a:1,a:1,http://b:2,c:0"}, `KAFKA_BROKERS: names "a:1" twice
KAFKA_BROKERS: "kafka" has no port: write kafka:9092 if that is where it listens
KAFKA_BROKERS: must hold host:port only: write b:2
KAFKA_BROKERS: "c:0" is not of the form host:port, such as kafka-1:9092 or [::1]:9092`},
		"brokers with a user and other faults": {map[string]string{"KAFKA_BROKERS": "me:" + canary + ",@kafka:9092,a:1,b"},
			"KAFKA_BROKERS: must contain only host:port: set the user in KAFKA_SASL_USERNAME\nKAFKA_BROKERS: number 1 is not of the form host:port\nKAFKA_BROKERS: number 4 is not of the form host:port"},
		"broker with port 0": {map[string]string{"KAFKA_BROKERS": "kafka:0"}, `KAFKA_BROKERS: "kafka:0" is not of the form host:port, such as kafka-1:9092 or [::1]:9092`},
		"bare IPv6":          {map[string]string{"KAFKA_BROKERS": "::1"}, `KAFKA_BROKERS: "::1" is not of the form host:port, such as kafka-1:9092 or [::1]:9092`},
		"broker twice":       {map[string]string{"KAFKA_BROKERS": "a:1,a:1"}, `KAFKA_BROKERS: names "a:1" twice`},

		"certificates without TLS": {map[string]string{"KAFKA_TLS_CA_FILE": "DIR/one.pem", "KAFKA_TLS_KEY_FILE": "DIR/one.key"},
			"KAFKA_TLS_CA_FILE: is set, but KAFKA_TLS is not true\nKAFKA_TLS_KEY_FILE: is set, but KAFKA_TLS is not true"},
		"CA missing":              {map[string]string{"KAFKA_TLS": "true", "KAFKA_TLS_CA_FILE": "DIR/none"}, `KAFKA_TLS_CA_FILE: names a file that can't be used: DIR/none: no such file or directory`},
		"CA of text":              {map[string]string{"KAFKA_TLS": "true", "KAFKA_TLS_CA_FILE": "DIR/text"}, `KAFKA_TLS_CA_FILE: names a file without a PEM certificate: DIR/text`},
		"certificate without key": {map[string]string{"KAFKA_TLS": "true", "KAFKA_TLS_CERT_FILE": "DIR/one.pem"}, `KAFKA_TLS_KEY_FILE: is required together with KAFKA_TLS_CERT_FILE`},
		"key without certificate": {map[string]string{"KAFKA_TLS": "true", "KAFKA_TLS_KEY_FILE": "DIR/one.key"}, `KAFKA_TLS_CERT_FILE: is required together with KAFKA_TLS_KEY_FILE`},
		"pair missing": {map[string]string{"KAFKA_TLS": "true", "KAFKA_TLS_CERT_FILE": "DIR/none.pem", "KAFKA_TLS_KEY_FILE": "DIR/none.key"},
			"KAFKA_TLS_CERT_FILE: names a file that can't be used: DIR/none.pem: no such file or directory\n" +
				"KAFKA_TLS_KEY_FILE: names a file that can't be used: DIR/none.key: no such file or directory"},
		"another's key": {map[string]string{"KAFKA_TLS": "true", "KAFKA_TLS_CERT_FILE": "DIR/one.pem", "KAFKA_TLS_KEY_FILE": "DIR/two.key"},
			`KAFKA_TLS_CERT_FILE: does not match KAFKA_TLS_KEY_FILE: tls: private key does not match public key`},
		"login without mechanism": {map[string]string{"KAFKA_SASL_USERNAME": "me", "KAFKA_SASL_PASSWORD": canary},
			"KAFKA_SASL_USERNAME: is set, but KAFKA_SASL_MECHANISM is not: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512\n" +
				"KAFKA_SASL_PASSWORD: is set, but KAFKA_SASL_MECHANISM is not: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"},
		"mechanism alone": {map[string]string{"KAFKA_SASL_MECHANISM": "SCRAM-SHA-256"},
			"KAFKA_SASL_USERNAME: is required with KAFKA_SASL_MECHANISM\nKAFKA_SASL_PASSWORD: is required with KAFKA_SASL_MECHANISM, or KAFKA_SASL_PASSWORD_FILE"},
		"mechanism in lower case": {map[string]string{"KAFKA_SASL_MECHANISM": "plain", "KAFKA_SASL_USERNAME": "me"}, `KAFKA_SASL_MECHANISM: "plain" is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER
KAFKA_SASL_PASSWORD: is required with KAFKA_SASL_MECHANISM, or KAFKA_SASL_PASSWORD_FILE`},
		"mechanism misspelt": {map[string]string{"KAFKA_SASL_MECHANISM": "OAUTHBARER", "KAFKA_SASL_USERNAME": "me", "KAFKA_SASL_OAUTH_CLIENT_ID": "me",
			"KAFKA_SASL_OAUTH_TOKEN_URL": "login.example", "KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE": "DIR/empty"}, `KAFKA_SASL_MECHANISM: "OAUTHBARER" is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER
KAFKA_SASL_OAUTH_TOKEN_URL: is not a URL such as https://login.example/oauth2/token
KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE: names a file that can't be used: DIR/empty is empty
KAFKA_SASL_USERNAME: is set, but KAFKA_SASL_MECHANISM is OAUTHBEARER, which uses KAFKA_SASL_OAUTH_TOKEN_URL, KAFKA_SASL_OAUTH_CLIENT_ID, KAFKA_SASL_OAUTH_CLIENT_SECRET`},
		"mechanism of others, a user": {map[string]string{"KAFKA_SASL_MECHANISM": "GSSAPI", "KAFKA_SASL_PASSWORD": canary},
			`KAFKA_SASL_MECHANISM: "GSSAPI" is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER
KAFKA_SASL_USERNAME: is required with KAFKA_SASL_MECHANISM`},
		"mechanism of others, a client": {map[string]string{"KAFKA_SASL_MECHANISM": "GSSAPI", "KAFKA_SASL_OAUTH_CLIENT_ID": "me"},
			`KAFKA_SASL_MECHANISM: "GSSAPI" is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER
KAFKA_SASL_OAUTH_TOKEN_URL: is required with KAFKA_SASL_MECHANISM=OAUTHBEARER
KAFKA_SASL_OAUTH_CLIENT_SECRET: is required with KAFKA_SASL_MECHANISM=OAUTHBEARER, or KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE`},
		"mechanism of others, alone": {map[string]string{"KAFKA_SASL_MECHANISM": "GSSAPI"},
			`KAFKA_SASL_MECHANISM: "GSSAPI" is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER
KAFKA_SASL_MECHANISM: must be set: for KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD to PLAIN or SCRAM-SHA-…, or to OAUTHBEARER for KAFKA_SASL_OAUTH_TOKEN_URL, KAFKA_SASL_OAUTH_CLIENT_ID, KAFKA_SASL_OAUTH_CLIENT_SECRET`},
		"tokens without their address": {map[string]string{"KAFKA_SASL_MECHANISM": "OAUTHBEARER", "KAFKA_SASL_OAUTH_CLIENT_ID": "me"},
			"KAFKA_SASL_OAUTH_TOKEN_URL: is required with KAFKA_SASL_MECHANISM=OAUTHBEARER\n" +
				"KAFKA_SASL_OAUTH_CLIENT_SECRET: is required with KAFKA_SASL_MECHANISM=OAUTHBEARER, or KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE"},
		"password for tokens": {map[string]string{"KAFKA_SASL_MECHANISM": "OAUTHBEARER", "KAFKA_SASL_USERNAME": "me", "KAFKA_SASL_OAUTH_CLIENT_ID": "me",
			"KAFKA_SASL_OAUTH_CLIENT_SECRET": canary, "KAFKA_SASL_OAUTH_TOKEN_URL": "https://login.example/token"},
			"KAFKA_SASL_USERNAME: is set, but KAFKA_SASL_MECHANISM is OAUTHBEARER, which uses KAFKA_SASL_OAUTH_TOKEN_URL, KAFKA_SASL_OAUTH_CLIENT_ID, KAFKA_SASL_OAUTH_CLIENT_SECRET"},
		"tokens for a password": {map[string]string{"KAFKA_SASL_MECHANISM": "SCRAM-SHA-256", "KAFKA_SASL_USERNAME": "me", "KAFKA_SASL_PASSWORD": canary, "KAFKA_SASL_OAUTH_CLIENT_ID": "me"},
			"KAFKA_SASL_OAUTH_CLIENT_ID: is set, but KAFKA_SASL_MECHANISM is SCRAM-SHA-256, which uses KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"},
		"tokens without mechanism": {map[string]string{"KAFKA_SASL_OAUTH_SCOPE": "kafka"}, "KAFKA_SASL_OAUTH_SCOPE: is set, but KAFKA_SASL_MECHANISM is not: OAUTHBEARER"},
		"tokens from a user": {map[string]string{"KAFKA_SASL_MECHANISM": "OAUTHBEARER", "KAFKA_SASL_OAUTH_CLIENT_ID": "me", "KAFKA_SASL_OAUTH_CLIENT_SECRET": canary,
			"KAFKA_SASL_OAUTH_TOKEN_URL": "https://me:" + canary + "@login.example/token"},
			"KAFKA_SASL_OAUTH_TOKEN_URL: must hold no user or password: they go into the variables …_CLIENT_ID and …_CLIENT_SECRET"},
		"password twice": {map[string]string{"KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_TLS": "true", "KAFKA_SASL_USERNAME": "me", "KAFKA_SASL_PASSWORD": canary, "KAFKA_SASL_PASSWORD_FILE": "DIR/text"},
			`KAFKA_SASL_PASSWORD_FILE: is set together with KAFKA_SASL_PASSWORD: keep only one of them`},

		"standby too eager":   {map[string]string{"STANDBY_AFTER": "59s"}, `STANDBY_AFTER: 59s is less than twice OWNER_HEARTBEAT (30s): one late heartbeat would cost the owner its role`},
		"breaker upside down": {map[string]string{"BREAKER_OPEN_FOR": "16m"}, `BREAKER_MAX_OPEN_FOR: 15m0s is less than BREAKER_OPEN_FOR (16m0s)`},
		"backoff upside down": {map[string]string{"RETRY_MAX_BACKOFF": "500ms"}, `RETRY_MAX_BACKOFF: 500ms is less than RETRY_BACKOFF (1s)`},
		"code unknown":        {map[string]string{"BREAKER_TRIP_ON": "timeuot"}, `BREAKER_TRIP_ON: "timeuot" is not a failure that the breaker can count; did you mean timeout?`},
		"codes each wrong": {map[string]string{"BREAKER_TRIP_ON": "timeuot,tls,http_204,tls"}, `BREAKER_TRIP_ON: names "tls" twice
BREAKER_TRIP_ON: "timeuot" is not a failure that the breaker can count; did you mean timeout?
BREAKER_TRIP_ON: "http_204" is not a failure that the breaker can count`},
		"no codes":          {map[string]string{"BREAKER_TRIP_ON": ","}, `BREAKER_TRIP_ON: names no failure: for example unknown_error,query_error`},
		"no codes at all":   {map[string]string{"BREAKER_TRIP_ON": ""}, `BREAKER_TRIP_ON: is empty: give it a value, or remove it for the default unknown_error,query_error`},
		"code of no outage": {map[string]string{"BREAKER_TRIP_ON": "unauthorized_token"}, `BREAKER_TRIP_ON: "unauthorized_token" is not a failure that the breaker can count`},
		"code of a success": {map[string]string{"BREAKER_TRIP_ON": "http_204"}, `BREAKER_TRIP_ON: "http_204" is not a failure that the breaker can count`},
		"admin address":     {map[string]string{"ADMIN_ADDR": "8080"}, `ADMIN_ADDR: "8080" is not of the form host:port or :port, such as :8080`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			setenv(t, dir, test.set)
			c, report, err := config.Load()
			if err == nil || c != nil {
				t.Fatalf("Load() = %+v, %v; want no configuration and an error", c, err)
			}
			want := strings.ReplaceAll(test.want, "DIR", dir)
			if diff := cmp.Diff(want, err.Error()); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
			expectNoSecret(t, report, err)
		})
	}
}

// writePair writes a certificate and its key as name.pem and name.key.
func writePair(t *testing.T, dir, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, name+".pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	writeFile(t, dir, name+".key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}
