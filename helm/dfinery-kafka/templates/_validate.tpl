{{/*
Faults that the schema can't explain well enough, all at once. Every release renders a pod, and each pod includes this.
*/}}
{{- define "dfinery-kafka.validate" -}}
{{- $v := .Values -}}
{{- $faults := list -}}
{{- $token := $v.dfinery.token -}}
{{- if and (eq (toString $token.existingSecret) "") (eq (toString $token.value) "") -}}
{{- $faults = append $faults "dfinery.token.existingSecret is needed: the name of a Secret with the Export token, made by `kubectl create secret generic dfinery --from-literal=token=EXPORT_TOKEN`. For a trial, dfinery.token.value can hold the token itself" -}}
{{- else if and (ne (toString $token.existingSecret) "") (ne (toString $token.value) "") -}}
{{- $faults = append $faults "dfinery.token.existingSecret and dfinery.token.value are mutually exclusive: keep the Secret" -}}
{{- end -}}
{{- range $name, $_ := $v.streams -}}
{{- if not (regexMatch "^[a-z][a-z0-9]*$" $name) -}}
{{- $like := regexReplaceAll "^[0-9]+" (regexReplaceAll "[^a-z0-9]" (lower $name) "") "" | default "events" -}}
{{- $faults = append $faults (printf "streams.%s: a stream's name consists of lower-case letters and digits and begins with a letter, such as %s" $name $like) -}}
{{- end -}}
{{- end -}}
{{- range $name, $stream := $v.streams -}}
{{- if and (or $stream.drop $stream.hash $stream.mask) (eq (toString $v.privacy.key.existingSecret) "") -}}
{{- $faults = append $faults (printf "streams.%s hides columns: privacy.key.existingSecret is needed, the name of a Secret with a key, made by `kubectl create secret generic privacy --from-literal=key=\"$(openssl rand -base64 48)\"`" $name) -}}
{{- end -}}
{{- end -}}
{{- range $name, $stream := $v.streams -}}
{{- if and (has $stream.format (list "json-schema" "avro" "protobuf")) (not $v.schemaRegistry.url) -}}
{{- $faults = append $faults (printf "streams.%s.format: %s needs a schema registry: set schemaRegistry.url, or use json-typed" $name $stream.format) -}}
{{- end -}}
{{- end -}}
{{- if or (hasKey $v "serviceMonitor") (hasKey $v.monitoring "serviceMonitor") -}}
{{- $faults = append $faults "serviceMonitor does not exist in this chart: use monitoring.podMonitor.enabled=true, which scrapes each pod, standbys too" -}}
{{- end -}}
{{- if and $v.monitoring.podMonitor.enabled (eq $v.mode "cron") -}}
{{- $faults = append $faults "monitoring.podMonitor.enabled has no use with mode=cron: the pod of a Job ends before Prometheus scrapes it reliably. Watch the Jobs, and run `status` as deploy/RUNBOOK.md describes" -}}
{{- end -}}
{{- range $path, $value := include "dfinery-kafka.identifiers" . | fromYaml -}}
{{- if not (kindIs "string" $value) -}}
{{- $kind := ternary "boolean" "number" (kindIs "bool" $value) -}}
{{- $faults = append $faults (printf "%s must be a string, but YAML reads it as the %s %s and may have changed it: write it in quotes in a values file, %s: \"…\", or use --set-string %s=…" $path $kind (include "dfinery-kafka.text" $value) (regexFind "[^.]+$" $path) $path) -}}
{{- end -}}
{{- end -}}
{{- if $faults -}}
{{- fail (printf "\n%s" (join "\n" $faults)) -}}
{{- end -}}
{{- end -}}

{{/* Every value that is an identifier, by its path: names, keys, topics, secrets. YAML must not take one for a number. */}}
{{- define "dfinery-kafka.identifiers" -}}
{{- $v := .Values -}}
{{- $all := dict
  "dfinery.serviceId" $v.dfinery.serviceId
  "kafka.sasl.username" $v.kafka.sasl.username
  "kafka.sasl.oauth.clientId" $v.kafka.sasl.oauth.clientId
  "kafka.tls.ca.existingSecret" $v.kafka.tls.ca.existingSecret
  "kafka.tls.ca.existingConfigMap" $v.kafka.tls.ca.existingConfigMap
  "kafka.tls.ca.key" $v.kafka.tls.ca.key
  "kafka.tls.client.existingSecret" $v.kafka.tls.client.existingSecret
  "kafka.tls.client.certKey" $v.kafka.tls.client.certKey
  "kafka.tls.client.keyKey" $v.kafka.tls.client.keyKey
  "schemaRegistry.username" $v.schemaRegistry.username
  "schemaRegistry.oauth.clientId" $v.schemaRegistry.oauth.clientId
  "schemaRegistry.tls.ca.existingSecret" $v.schemaRegistry.tls.ca.existingSecret
  "schemaRegistry.tls.ca.existingConfigMap" $v.schemaRegistry.tls.ca.existingConfigMap
  "schemaRegistry.tls.ca.key" $v.schemaRegistry.tls.ca.key
  "schemaRegistry.tls.client.existingSecret" $v.schemaRegistry.tls.client.existingSecret
  "schemaRegistry.tls.client.certKey" $v.schemaRegistry.tls.client.certKey
  "schemaRegistry.tls.client.keyKey" $v.schemaRegistry.tls.client.keyKey
  "publish.deadLetterTopic" $v.publish.deadLetterTopic
  "publish.ledgerTopic" $v.publish.ledgerTopic
  "privacy.key.existingSecret" $v.privacy.key.existingSecret
  "privacy.key.key" $v.privacy.key.key
  "image.tag" $v.image.tag
  "priorityClassName" $v.priorityClassName
  "nameOverride" $v.nameOverride
  "fullnameOverride" $v.fullnameOverride
  "serviceAccount.name" $v.serviceAccount.name
  "strimzi.cluster" $v.strimzi.cluster
  "strimzi.namespace" $v.strimzi.namespace
  "strimzi.user.name" $v.strimzi.user.name
-}}
{{- range $path, $secret := dict "dfinery.token" $v.dfinery.token "kafka.sasl.password" $v.kafka.sasl.password "kafka.sasl.oauth.clientSecret" $v.kafka.sasl.oauth.clientSecret
  "schemaRegistry.password" $v.schemaRegistry.password "schemaRegistry.token" $v.schemaRegistry.token "schemaRegistry.oauth.clientSecret" $v.schemaRegistry.oauth.clientSecret -}}
{{- range $key, $value := $secret -}}
{{- $_ := set $all (printf "%s.%s" $path $key) $value -}}
{{- end -}}
{{- end -}}
{{- range $name, $stream := $v.streams -}}
{{- range $key := list "audience" "topic" "key" "record" "columnsFile" -}}
{{- $_ := set $all (printf "streams.%s.%s" $name $key) (get $stream $key) -}}
{{- end -}}
{{- range $key := list "events" "excludeEvents" "properties" "excludeProperties" "drop" "hash" "mask" "headers" -}}
{{- range $i, $item := get $stream $key | default list -}}
{{- $_ := set $all (printf "streams.%s.%s[%d]" $name $key $i) $item -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $i, $item := $v.extraEnv -}}
{{- $_ := set $all (printf "extraEnv[%d].value" $i) (get $item "value") -}}
{{- end -}}
{{- range $i, $item := $v.kafka.sasl.oauth.scope -}}
{{- $_ := set $all (printf "kafka.sasl.oauth.scope[%d]" $i) $item -}}
{{- end -}}
{{- range $i, $item := $v.schemaRegistry.oauth.scope -}}
{{- $_ := set $all (printf "schemaRegistry.oauth.scope[%d]" $i) $item -}}
{{- end -}}
{{- range $path, $value := $all -}}
{{- if kindIs "invalid" $value -}}
{{- $_ := unset $all $path -}}
{{- end -}}
{{- end -}}
{{- toYaml $all -}}
{{- end -}}
