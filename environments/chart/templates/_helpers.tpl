{{- /* An image reference from its repository, tag and digest; empty parts are left out. */ -}}
{{- define "shop.image" -}}
{{- $repository := .image.repository -}}
{{- with (.global).imageRegistry -}}
{{- $first := first (splitList "/" $repository) -}}
{{- if and (contains "/" $repository) (or (contains "." $first) (contains ":" $first) (eq "localhost" $first)) -}}
{{- $repository = trimPrefix (printf "%s/" $first) $repository -}}
{{- end -}}
{{- $repository = printf "%s/%s" . $repository -}}
{{- end -}}
{{- $repository -}}
{{- with .image }}
{{- if .tag }}:{{ kindIs "float64" .tag | ternary (.tag | int64) .tag }}{{ end -}}
{{- if .digest }}@{{ .digest }}{{ end -}}
{{- end -}}
{{- end }}
