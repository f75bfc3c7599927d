{{/* The secrets' files. Whole directories, not subPaths: those would not follow a rotation. */}}
{{- define "dfinery-kafka.mounts" -}}
- name: dfinery-token
  mountPath: /run/secrets/dfinery-token
  readOnly: true
{{- if or .Values.kafka.tls.ca.existingSecret .Values.kafka.tls.ca.existingConfigMap }}
- name: kafka-ca
  mountPath: /run/secrets/kafka-ca
  readOnly: true
{{- end }}
{{- if .Values.kafka.tls.client.existingSecret }}
- name: kafka-client
  mountPath: /run/secrets/kafka-client
  readOnly: true
{{- end }}
{{- if include "dfinery-kafka.passwordSecret" . }}
- name: kafka-password
  mountPath: /run/secrets/kafka-password
  readOnly: true
{{- end }}
{{- if include "dfinery-kafka.oauthSecret" . }}
- name: kafka-oauth
  mountPath: /run/secrets/kafka-oauth
  readOnly: true
{{- end }}
{{- if .Values.privacy.key.existingSecret }}
- name: privacy-key
  mountPath: /run/secrets/privacy-key
  readOnly: true
{{- end }}
{{- with .Values.schemaRegistry.tls }}
{{- if or .ca.existingSecret .ca.existingConfigMap }}
- name: registry-ca
  mountPath: /run/secrets/registry-ca
  readOnly: true
{{- end }}
{{- if .client.existingSecret }}
- name: registry-client
  mountPath: /run/secrets/registry-client
  readOnly: true
{{- end }}
{{- end }}
{{- range include "dfinery-kafka.registrySecrets" . | fromYamlArray }}
- name: {{ .name }}
  mountPath: /run/secrets/{{ .name }}
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "dfinery-kafka.volumes" -}}
- name: dfinery-token
  secret:
    secretName: {{ include "dfinery-kafka.tokenSecret" . }}
    defaultMode: 0440
    items:
      - key: {{ .Values.dfinery.token.key }}
        path: {{ .Values.dfinery.token.key }}
{{- with .Values.kafka.tls.ca }}
{{- if .existingSecret }}
- name: kafka-ca
  secret:
    secretName: {{ .existingSecret }}
    defaultMode: 0440
    items:
      - key: {{ .key }}
        path: {{ .key }}
{{- else if .existingConfigMap }}
- name: kafka-ca
  configMap:
    name: {{ .existingConfigMap }}
    defaultMode: 0440
    items:
      - key: {{ .key }}
        path: {{ .key }}
{{- end }}
{{- end }}
{{- with .Values.kafka.tls.client }}
{{- if .existingSecret }}
- name: kafka-client
  secret:
    secretName: {{ .existingSecret }}
    defaultMode: 0440
    items:
      - key: {{ .certKey }}
        path: {{ .certKey }}
      - key: {{ .keyKey }}
        path: {{ .keyKey }}
{{- end }}
{{- end }}
{{- with include "dfinery-kafka.passwordSecret" . }}
- name: kafka-password
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items:
      - key: {{ $.Values.kafka.sasl.password.key }}
        path: {{ $.Values.kafka.sasl.password.key }}
{{- end }}
{{- with include "dfinery-kafka.oauthSecret" . }}
- name: kafka-oauth
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items:
      - key: {{ $.Values.kafka.sasl.oauth.clientSecret.key }}
        path: {{ $.Values.kafka.sasl.oauth.clientSecret.key }}
{{- end }}
{{- with .Values.privacy.key }}
{{- if .existingSecret }}
- name: privacy-key
  secret:
    secretName: {{ .existingSecret }}
    defaultMode: 0440
    items:
      - key: {{ .key }}
        path: {{ .key }}
{{- end }}
{{- end }}
{{- with .Values.schemaRegistry.tls.ca }}
{{- if .existingSecret }}
- name: registry-ca
  secret:
    secretName: {{ .existingSecret }}
    defaultMode: 0440
    items:
      - key: {{ .key }}
        path: {{ .key }}
{{- else if .existingConfigMap }}
- name: registry-ca
  configMap:
    name: {{ .existingConfigMap }}
    defaultMode: 0440
    items:
      - key: {{ .key }}
        path: {{ .key }}
{{- end }}
{{- end }}
{{- with .Values.schemaRegistry.tls.client }}
{{- if .existingSecret }}
- name: registry-client
  secret:
    secretName: {{ .existingSecret }}
    defaultMode: 0440
    items:
      - key: {{ .certKey }}
        path: {{ .certKey }}
      - key: {{ .keyKey }}
        path: {{ .keyKey }}
{{- end }}
{{- end }}
{{- range include "dfinery-kafka.registrySecrets" . | fromYamlArray }}
- name: {{ .name }}
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
    items:
      - key: {{ .key }}
        path: {{ .key }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* A container that runs a command of the program: dict "root" . "name" NAME "args" (list …). */}}
{{- define "dfinery-kafka.container" -}}
- name: {{ .name }}
  image: {{ include "dfinery-kafka.image" .root }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  args: {{ toJson .args }}
  {{- with .root.Values.securityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .root.Values.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  env:
    {{- include "dfinery-kafka.env" .root | trim | replace (printf "containerName: %s" .root.Chart.Name) (printf "containerName: %s" .name) | nindent 4 }}
  {{- with .root.Values.extraEnvFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    {{- include "dfinery-kafka.mounts" .root | nindent 4 }}
{{- end -}}

{{/* What all pods of the release have in common. */}}
{{- define "dfinery-kafka.podBase" -}}
serviceAccountName: {{ include "dfinery-kafka.serviceAccountName" . }}
automountServiceAccountToken: false
# Variables such as DFINERY_KAFKA_PORT, made from a Service's name, are none of ours.
enableServiceLinks: false
terminationGracePeriodSeconds: {{ add 10 (include "dfinery-kafka.seconds" (default "20s" .Values.shutdownTimeout)) }}
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
volumes:
  {{- include "dfinery-kafka.volumes" . | nindent 2 }}
{{- end -}}

{{/* The pod that runs the connector: dict "root" . "args" (list "run" …) "serves" whether probes make sense. */}}
{{- define "dfinery-kafka.podTemplate" -}}
{{- include "dfinery-kafka.validate" .root -}}
{{- $v := .root.Values -}}
metadata:
  labels:
    {{- include "dfinery-kafka.labels" .root | nindent 4 }}
    app.kubernetes.io/component: connector
    {{- with $v.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- $secrets := list $v.dfinery.token.value $v.kafka.sasl.password.value $v.kafka.sasl.oauth.clientSecret.value $v.schemaRegistry.password.value $v.schemaRegistry.token.value $v.schemaRegistry.oauth.clientSecret.value | compact }}
  {{- if or $v.podAnnotations $secrets }}
  annotations:
    {{- with $secrets }}
    # A Secret of one's own is followed without a restart; who sets a value here wants it at once.
    checksum/secret: {{ toJson . | sha256sum }}
    {{- end }}
    {{- with $v.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
spec:
  {{- include "dfinery-kafka.podBase" .root | nindent 2 }}
  {{- with $v.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $v.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if $v.check.enabled }}
  initContainers:
    {{- include "dfinery-kafka.container" (dict "root" .root "name" "check" "args" (list "check")) | nindent 4 }}
  {{- end }}
  {{- if not .serves }}
  restartPolicy: Never
  {{- end }}
  containers:
    {{- include "dfinery-kafka.container" (dict "root" .root "name" .root.Chart.Name "args" .args) | nindent 4 }}
      ports:
        - name: admin
          containerPort: {{ $v.admin.port }}
      {{- if .serves }}
      livenessProbe:
        httpGet:
          path: /livez
          port: admin
        periodSeconds: 20
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet:
          # Of two, one owns the service and the other stands by: both are as they should be.
          path: {{ if gt (int $v.replicas) 1 }}/readyz?standby=ok{{ else }}/readyz{{ end }}
          port: admin
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 3
      {{- end }}
{{- end -}}
