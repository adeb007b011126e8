{{- /* An image reference from its repository, tag and digest; empty parts are left out. */ -}}
{{- define "shop.image" -}}
{{- .repository -}}
{{- if .tag }}:{{ kindIs "float64" .tag | ternary (.tag | int64) .tag }}{{ end -}}
{{- if .digest }}@{{ .digest }}{{ end -}}
{{- end }}
