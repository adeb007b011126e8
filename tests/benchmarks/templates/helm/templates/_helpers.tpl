{{- define "shop.selector" -}}
app.kubernetes.io/name: {{ .name }}
{{- end }}
{{- define "shop.labels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/part-of: shop
app.kubernetes.io/component: {{ .s.component }}
team: {{ .s.team }}
{{- end }}
{{- define "shop.meta" -}}
namespace: {{ .root.Values.namespace }}
labels:
  {{- include "shop.labels" . | nindent 2 }}
  {{- toYaml .root.Values.labels | nindent 2 }}
{{- end }}
{{- define "shop.probe" -}}
httpGet:
  path: {{ .probePath }}
  port: http
  scheme: HTTP
{{- end }}
