{{/* Environment of a Koe container. */}}
{{- define "koe.env" -}}
{{- $settings := dict "KOE_DATA" "/var/lib/koe" "KOE_ENGINE" .Values.engine -}}
{{- if include "koe.fromZero" . -}}
{{- $_ := set $settings "KOE_WAIT_FOR_WORKER" "true" -}}
{{- $_ := set $settings "KOE_MAX_WAIT" .Values.workers.autoscaling.coldWait -}}
{{- end -}}
{{- if eq .Values.store.kind "pvc" -}}
{{- $_ := set $settings "KOE_STORE" "/var/lib/koe-store/files" -}}
{{- else if eq .Values.store.kind "s3" -}}
{{- $_ := set $settings "KOE_STORE" (required "store.url is missing: store.kind is s3" .Values.store.url) -}}
{{- end -}}
{{- range $name, $value := mergeOverwrite $settings .Values.settings }}
{{- /* Helm has every number as a float: 2000000 would become 2e+06. */}}
{{- $isWhole := and (kindIs "float64" $value) (eq (float64 (int64 $value)) (float64 $value)) }}
- {name: {{ $name }}, value: {{ $isWhole | ternary (int64 $value | toString) ($value | toString) | quote }}}
{{- end }}
{{- if .Values.redis.existingSecret }}
- name: KOE_REDIS_URL
  valueFrom: {secretKeyRef: {name: {{ .Values.redis.existingSecret }}, key: {{ .Values.redis.secretKey }}}}
{{- else }}
- name: VALKEY_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ include "koe.valkeySecret" . }}, key: password}}
- name: KOE_REDIS_URL
  value: redis://:$(VALKEY_PASSWORD)@{{ include "koe.fullname" . }}-valkey:6379
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Fields that the containers of the API, of workers and of the test share. */}}
{{- define "koe.container" -}}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
{{- with .Values.secretNames }}
envFrom:
  {{- range . }}
  - secretRef: {name: {{ . }}}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Fields of a pod: `list $ values`. */}}
{{- define "koe.pod" -}}
{{- $ := index . 0 -}}
{{- $values := index . 1 -}}
serviceAccountName: {{ include "koe.serviceAccount" $ }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- toYaml $.Values.podSecurityContext | nindent 2 }}
{{- with $.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if $values.affinity }}
affinity:
  {{- toYaml $values.affinity | nindent 2 }}
{{- else if include "koe.oneNode" $ }}
affinity:
  podAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            app.kubernetes.io/instance: {{ $.Release.Name }}
            koe/store: shared
{{- end }}
{{- end -}}

{{- define "koe.volumes" -}}
- {name: tmp, emptyDir: {}}
- {name: data, emptyDir: {}}
{{- if eq .Values.store.kind "pvc" }}
- name: store
  persistentVolumeClaim: {claimName: {{ include "koe.claim" . }}}
{{- end }}
{{- end -}}

{{- define "koe.mounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: data, mountPath: /var/lib/koe}
{{- if eq .Values.store.kind "pvc" }}
- {name: store, mountPath: /var/lib/koe-store}
{{- end }}
{{- end -}}
