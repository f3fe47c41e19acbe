{{- define "koe.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains "koe" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-koe" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels of an object; `list $ "api"`. */}}
{{- define "koe.labels" -}}
{{- $ := index . 0 -}}
helm.sh/chart: {{ printf "%s-%s" $.Chart.Name $.Chart.Version }}
app.kubernetes.io/version: {{ $.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $.Release.Service }}
{{ include "koe.selector" . }}
{{- end -}}

{{- define "koe.selector" -}}
{{- $ := index . 0 -}}
app.kubernetes.io/name: {{ $.Chart.Name }}
app.kubernetes.io/instance: {{ $.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Name and labels of an object: `list $ "api"`. */}}
{{- define "koe.metadata" -}}
{{- $ := index . 0 -}}
name: {{ include "koe.fullname" $ }}-{{ index . 1 }}
namespace: {{ $.Release.Namespace }}
labels:
  {{- include "koe.labels" . | nindent 2 }}
{{- end -}}

{{/* Image of a part: `list $ "api"`. */}}
{{- define "koe.image" -}}
{{- $ := index . 0 -}}
{{- printf "%s:%s-%s" $.Values.image.repository ($.Values.image.tag | default $.Chart.AppVersion) (index . 1) -}}
{{- end -}}

{{- define "koe.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "koe.fullname" .) -}}
{{- end -}}

{{- define "koe.keysSecret" -}}
{{- .Values.keys.existingSecret | default (printf "%s-keys" (include "koe.fullname" .)) -}}
{{- end -}}

{{- define "koe.valkeySecret" -}}
{{- .Values.valkey.existingSecret | default (printf "%s-valkey" (include "koe.fullname" .)) -}}
{{- end -}}

{{/* An entry of a Secret of this chart, unchanged by upgrades: `list $ name entry new`. */}}
{{- define "koe.kept" -}}
{{- $ := index . 0 -}}
{{- $old := lookup "v1" "Secret" $.Release.Namespace (index . 1) -}}
{{- if and $old (hasKey ($old.data | default dict) (index . 2)) -}}
{{- index $old.data (index . 2) | b64dec -}}
{{- else -}}
{{- index . 3 -}}
{{- end -}}
{{- end -}}

{{- define "koe.fromZero" -}}
{{- if and (ne .Values.workers.autoscaling.kind "none") (eq (int .Values.workers.autoscaling.min) 0) }}true{{ end -}}
{{- end -}}

{{- define "koe.claim" -}}
{{- .Values.store.existingClaim | default (printf "%s-store" (include "koe.fullname" .)) -}}
{{- end -}}

{{/* Whether all pods must run on one node: a volume for one node. */}}
{{- define "koe.oneNode" -}}
{{- if and (eq .Values.store.kind "pvc") (eq .Values.store.accessMode "ReadWriteOnce") }}true{{ end -}}
{{- end -}}
