{{/*
The environment of the connector: every variable that a value stands for. Values that are null, and empty lists, are not set.
It stands in the pod's own template rather than in a ConfigMap: so any change makes a new pod, and a rollback brings it back.
*/}}
{{- define "dfinery-kafka.env" -}}
{{- $v := .Values -}}
{{- $variables := list
  (list "DFINERY_SERVICE_ID" $v.dfinery.serviceId)
  (list "DFINERY_EXPORT_TOKEN_FILE" (printf "/run/secrets/dfinery-token/%s" $v.dfinery.token.key))
  (list "DFINERY_BASE_URL" $v.dfinery.baseUrl)
  (list "DFINERY_TIMEZONE" $v.dfinery.timezone)
  (list "DFINERY_TO_DATE" $v.dfinery.toDate)
  (list "DFINERY_CHARSET" $v.dfinery.charset)
  (list "DFINERY_EMPTY_DAY" $v.dfinery.emptyDay)
  (list "DFINERY_FINAL_NEWLINE" $v.dfinery.finalNewline)
  (list "DFINERY_OPEN_QUOTE" $v.dfinery.openQuote)
  (list "DFINERY_CALLS_PER_HOUR" $v.dfinery.callsPerHour)
  (list "DFINERY_CONCURRENT_CALLS" $v.dfinery.concurrentCalls)
  (list "DFINERY_HEADER_TIMEOUT" $v.dfinery.headerTimeout)
  (list "DFINERY_IDLE_TIMEOUT" $v.dfinery.idleTimeout)
-}}
{{- if $v.streams -}}
{{- $variables = append $variables (list "STREAMS" (keys $v.streams | sortAlpha)) -}}
{{- end -}}
{{- range $name, $stream := $v.streams -}}
{{- range $key, $value := $stream -}}
{{- $variables = append $variables (list (printf "STREAM_%s_%s" (upper $name) (snakecase $key | upper)) $value) -}}
{{- end -}}
{{- end -}}
{{- $variables = concat $variables (list
  (list "KAFKA_BROKERS" (include "dfinery-kafka.brokers" .))
  (list "KAFKA_TLS" $v.kafka.tls.enabled)
) -}}
{{- if or $v.kafka.tls.ca.existingSecret $v.kafka.tls.ca.existingConfigMap -}}
{{- $variables = append $variables (list "KAFKA_TLS_CA_FILE" (printf "/run/secrets/kafka-ca/%s" $v.kafka.tls.ca.key)) -}}
{{- end -}}
{{- if $v.kafka.tls.client.existingSecret -}}
{{- $variables = concat $variables (list
  (list "KAFKA_TLS_CERT_FILE" (printf "/run/secrets/kafka-client/%s" $v.kafka.tls.client.certKey))
  (list "KAFKA_TLS_KEY_FILE" (printf "/run/secrets/kafka-client/%s" $v.kafka.tls.client.keyKey))
) -}}
{{- end -}}
{{- $variables = concat $variables (list
  (list "KAFKA_SASL_MECHANISM" $v.kafka.sasl.mechanism)
  (list "KAFKA_SASL_USERNAME" $v.kafka.sasl.username)
) -}}
{{- if include "dfinery-kafka.passwordSecret" . -}}
{{- $variables = append $variables (list "KAFKA_SASL_PASSWORD_FILE" (printf "/run/secrets/kafka-password/%s" $v.kafka.sasl.password.key)) -}}
{{- end -}}
{{- $variables = concat $variables (list
  (list "KAFKA_SASL_OAUTH_TOKEN_URL" $v.kafka.sasl.oauth.tokenUrl)
  (list "KAFKA_SASL_OAUTH_CLIENT_ID" $v.kafka.sasl.oauth.clientId)
  (list "KAFKA_SASL_OAUTH_SCOPE" $v.kafka.sasl.oauth.scope)
) -}}
{{- if include "dfinery-kafka.oauthSecret" . -}}
{{- $variables = append $variables (list "KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE" (printf "/run/secrets/kafka-oauth/%s" $v.kafka.sasl.oauth.clientSecret.key)) -}}
{{- end -}}
{{- $variables = concat $variables (list
  (list "KAFKA_COMPRESSION" $v.kafka.compression)
  (list "KAFKA_CREATE_TOPICS" $v.kafka.createTopics)
  (list "KAFKA_PARTITIONS" $v.kafka.partitions)
  (list "KAFKA_REPLICATION_FACTOR" $v.kafka.replicationFactor)
  (list "SCHEMA_REGISTRY_URL" $v.schemaRegistry.url)
  (list "SCHEMA_REGISTRY_USERNAME" $v.schemaRegistry.username)
  (list "SCHEMA_REGISTRY_OAUTH_TOKEN_URL" $v.schemaRegistry.oauth.tokenUrl)
  (list "SCHEMA_REGISTRY_OAUTH_CLIENT_ID" $v.schemaRegistry.oauth.clientId)
  (list "SCHEMA_REGISTRY_OAUTH_SCOPE" $v.schemaRegistry.oauth.scope)
) -}}
{{- range include "dfinery-kafka.registrySecrets" . | fromYamlArray -}}
{{- $variables = append $variables (list .variable (printf "/run/secrets/%s/%s" .name .key)) -}}
{{- end -}}
{{- with $v.schemaRegistry.tls -}}
{{- if or .ca.existingSecret .ca.existingConfigMap -}}
{{- $variables = append $variables (list "SCHEMA_REGISTRY_TLS_CA_FILE" (printf "/run/secrets/registry-ca/%s" .ca.key)) -}}
{{- end -}}
{{- if .client.existingSecret -}}
{{- $variables = concat $variables (list
  (list "SCHEMA_REGISTRY_TLS_CERT_FILE" (printf "/run/secrets/registry-client/%s" .client.certKey))
  (list "SCHEMA_REGISTRY_TLS_KEY_FILE" (printf "/run/secrets/registry-client/%s" .client.keyKey))
) -}}
{{- end -}}
{{- end -}}
{{- $variables = concat $variables (list
  (list "SCHEMA_REGISTRY_TIMEOUT" $v.schemaRegistry.timeout)
  (list "SCHEMA_REGISTRY_REGISTER" $v.schemaRegistry.register)
  (list "DEAD_LETTER_TOPIC" $v.publish.deadLetterTopic)
  (list "DEAD_LETTER_RAW" $v.publish.deadLetterRaw)
  (list "LEDGER_TOPIC" $v.publish.ledgerTopic)
  (list "DELIVERY" $v.publish.delivery)
  (list "CHECKPOINT_INTERVAL" $v.publish.checkpointInterval)
  (list "FENCE_RENEWAL" $v.publish.fenceRenewal)
  (list "OWNER_HEARTBEAT" $v.publish.ownerHeartbeat)
  (list "STANDBY_AFTER" $v.publish.standbyAfter)
) -}}
{{- if $v.privacy.key.existingSecret -}}
{{- $variables = append $variables (list "PRIVACY_KEY_FILE" (printf "/run/secrets/privacy-key/%s" $v.privacy.key.key)) -}}
{{- end -}}
{{- $variables = concat $variables (list
  (list "BREAKER_FAILURES" $v.breaker.failures)
  (list "BREAKER_OPEN_FOR" $v.breaker.openFor)
  (list "BREAKER_MAX_OPEN_FOR" $v.breaker.maxOpenFor)
  (list "BREAKER_TRIP_ON" $v.breaker.tripOn)
  (list "RETRY_BACKOFF" $v.retry.backoff)
  (list "RETRY_MAX_BACKOFF" $v.retry.maxBackoff)
  (list "NARROW_AFTER" $v.retry.narrowAfter)
  (list "ADMIN_ADDR" (printf ":%s" (include "dfinery-kafka.text" $v.admin.port)))
  (list "ADMIN_PPROF" $v.admin.pprof)
  (list "RUNBOOK_URL" $v.admin.runbookUrl)
  (list "LOG_LEVEL" $v.log.level)
  (list "LOG_FORMAT" $v.log.format)
  (list "SHUTDOWN_TIMEOUT" $v.shutdownTimeout)
) -}}
{{- range $variables }}
{{- $value := index . 1 }}
{{- if not (or (kindIs "invalid" $value) (and (kindIs "slice" $value) (empty $value))) }}
- name: {{ index . 0 }}
  value: {{ include "dfinery-kafka.text" $value | quote }}
{{- end }}
{{- end }}
{{- with ($v.resources.limits).memory }}
- name: GOMEMLIMIT
  value: {{ include "dfinery-kafka.memoryLimit" . | quote }}
{{- end }}
{{- if ($v.resources.limits).cpu }}
- name: GOMAXPROCS
  valueFrom:
    resourceFieldRef:
      containerName: {{ .Chart.Name }}
      resource: limits.cpu
{{- end }}
{{- with $v.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
