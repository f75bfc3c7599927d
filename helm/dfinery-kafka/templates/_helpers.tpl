{{- define "dfinery-kafka.name" -}}
{{- default .Chart.Name .Values.nameOverride | toString | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/*
A name for all objects. A Service's is the strictest: a DNS label that begins with a letter, so dots become dashes and a release such as
1234 gets the chart's name in front. Cut to 52 characters: a CronJob's name may have no more.
*/}}
{{- define "dfinery-kafka.fullname" -}}
{{- $name := include "dfinery-kafka.name" . -}}
{{- $own := default .Release.Name .Values.fullnameOverride | toString -}}
{{- $full := $own -}}
{{- if not (regexMatch "^[a-z]" $own) -}}
{{- $full = printf "%s-%s" .Chart.Name $own -}}
{{- else if not (or .Values.fullnameOverride (contains $name .Release.Name)) -}}
{{- $full = printf "%s-%s" .Release.Name $name -}}
{{- end -}}
{{- $full | replace "." "-" | trunc 52 | trimAll "-" -}}
{{- end -}}

{{/* What selects the pods that run the connector: never changed, since a Deployment's selector can't be. */}}
{{- define "dfinery-kafka.selector" -}}
app.kubernetes.io/name: {{ include "dfinery-kafka.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: connector
{{- end -}}

{{- define "dfinery-kafka.labels" -}}
app.kubernetes.io/name: {{ include "dfinery-kafka.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "dfinery-kafka.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag -}}
{{- if .Values.image.digest -}}
{{- printf "%s:%s@%s" .Values.image.repository $tag .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository $tag -}}
{{- end -}}
{{- end -}}

{{- define "dfinery-kafka.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "dfinery-kafka.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* A value as the text of an environment variable. Numbers from YAML are floats: 1000000 would become 1e+06. */}}
{{- define "dfinery-kafka.text" -}}
{{- if kindIs "float64" . -}}
{{- int64 . | toString -}}
{{- else if kindIs "slice" . -}}
{{- join "," . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{/* The seconds of a duration of hours, minutes and seconds. */}}
{{- define "dfinery-kafka.seconds" -}}
{{- $sum := 0 -}}
{{- range regexFindAll "[0-9]+[hms]" . -1 -}}
{{- $unit := dict "h" 3600 "m" 60 "s" 1 -}}
{{- $sum = add $sum (mul (regexFind "[0-9]+" .) (get $unit (regexFind "[hms]" .))) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}

{{/* 90 % of a quantity of memory, in bytes: the rest is for what Go does not count. A quantity is a number with an exponent or a suffix. */}}
{{- define "dfinery-kafka.memoryLimit" -}}
{{- $text := toString . -}}
{{- $suffix := regexFind "([KMGTPE]i|[numkMGTPE])$" $text -}}
{{- $number := trimSuffix $suffix $text | float64 -}}
{{- $below := dict "n" 1000000000 "u" 1000000 "m" 1000 -}}
{{- $above := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "P" 1000000000000000 "E" 1000000000000000000
  "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976 -}}
{{- if hasKey $below $suffix -}}
{{- divf (mulf $number 0.9) (get $below $suffix) | floor | int64 -}}
{{- else -}}
{{- mulf $number (get $above $suffix) 0.9 | floor | int64 -}}
{{- end -}}
{{- end -}}

{{/* The brokers, comma-separated, whether they are given as a list or as one text. */}}
{{- define "dfinery-kafka.brokers" -}}
{{- if kindIs "string" .Values.kafka.brokers -}}
{{- .Values.kafka.brokers | replace " " "" -}}
{{- else -}}
{{- join "," .Values.kafka.brokers -}}
{{- end -}}
{{- end -}}

{{- define "dfinery-kafka.tokenSecret" -}}
{{- default (printf "%s-token" (include "dfinery-kafka.fullname" .)) .Values.dfinery.token.existingSecret -}}
{{- end -}}

{{/* The Secret of the password, or nothing. */}}
{{- define "dfinery-kafka.passwordSecret" -}}
{{- if .Values.kafka.sasl.password.existingSecret -}}
{{- .Values.kafka.sasl.password.existingSecret -}}
{{- else if .Values.kafka.sasl.password.value -}}
{{- printf "%s-kafka" (include "dfinery-kafka.fullname" .) -}}
{{- end -}}
{{- end -}}

{{/* The Secret of the OAuth client, or nothing. */}}
{{- define "dfinery-kafka.oauthSecret" -}}
{{- with .Values.kafka.sasl.oauth.clientSecret -}}
{{- if .existingSecret -}}
{{- .existingSecret -}}
{{- else if .value -}}
{{- printf "%s-oauth" (include "dfinery-kafka.fullname" $) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The secrets that log in to the schema registry: the files' directory, the variable, and the Secret with its key. */}}
{{- define "dfinery-kafka.registrySecrets" -}}
{{- $r := .Values.schemaRegistry -}}
{{- $all := list -}}
{{- range list
  (list "registry-password" "SCHEMA_REGISTRY_PASSWORD_FILE" $r.password)
  (list "registry-token" "SCHEMA_REGISTRY_TOKEN_FILE" $r.token)
  (list "registry-oauth" "SCHEMA_REGISTRY_OAUTH_CLIENT_SECRET_FILE" $r.oauth.clientSecret)
-}}
{{- $secret := index . 2 -}}
{{- if or $secret.existingSecret $secret.value -}}
{{- $own := printf "%s-%s" (include "dfinery-kafka.fullname" $) (index . 0) -}}
{{- $all = append $all (dict "name" (index . 0) "variable" (index . 1) "secret" (default $own $secret.existingSecret) "key" $secret.key "value" $secret.value) -}}
{{- end -}}
{{- end -}}
{{- toYaml $all -}}
{{- end -}}
