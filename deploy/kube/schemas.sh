#!/usr/bin/env bash
# Writes strict JSON schemas of every kind that an API server has, custom ones too, for kubeconform: deploy/kube/schemas.sh OUT < SWAGGER
#
# SWAGGER is what `kubectl get --raw /openapi/v2` prints. The schemas are OUT/KIND-GROUP-VERSION.json, GROUP up to its first dot:
#
#   kubeconform -strict -schema-location "OUT/{{.ResourceKind}}{{.KindSuffix}}.json"
set -euo pipefail

out=$(mkdir -p "$1" && cd "$1" && pwd)

# Unknown members are refused wherever members are listed. A quantity is a number or text, as a port or percentage is.
jq '
  def strict:
    if type == "object" then
      if .format == "int-or-string" then {oneOf: [{type: "string"}, {type: "integer"}]}
      else
        map_values(strict)
        | if has("properties") and (has("additionalProperties") | not) and ."x-kubernetes-preserve-unknown-fields" != true and (.properties | type) == "object" and .type == "object"
          then .additionalProperties = false else . end
      end
    elif type == "array" then map(strict) else . end;
  .definitions
  | map_values(strict)
  | with_entries(
      if .key | endswith("util.intstr.IntOrString") then .value = {oneOf: [{type: "string"}, {type: "integer"}]}
      elif .key | endswith("api.resource.Quantity") then .value = {oneOf: [{type: "string"}, {type: "number"}]}
      else . end)
  | {definitions: .}' > "$out/definitions.json"

jq -r '
  .definitions | to_entries[] | .key as $name
  | select((.value."x-kubernetes-group-version-kind" // []) | length == 1)
  | .value."x-kubernetes-group-version-kind"[0]
  | [([.kind, (.group | split(".")[0] // empty), .version] | map(select(. != "")) | join("-") | ascii_downcase), $name] | @tsv' "$out/definitions.json" |
  while IFS=$'\t' read -r file name; do
    jq -nc --arg ref "definitions.json#/definitions/$name" '{required: ["apiVersion", "kind"], allOf: [{"$ref": $ref}]}' > "$out/$file.json"
  done
