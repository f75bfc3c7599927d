{{- define "dfinery-kafka.testPod" -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ include "dfinery-kafka.fullname" .root }}-test-{{ .name }}
  labels:
    {{- include "dfinery-kafka.labels" .root | nindent 4 }}
    app.kubernetes.io/component: test
  annotations:
    helm.sh/hook: test
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  restartPolicy: Never
  {{- include "dfinery-kafka.podBase" .root | nindent 2 }}
  containers:
    {{- include "dfinery-kafka.container" (dict "root" .root "name" .name "args" .args) | nindent 4 }}
{{- end -}}
