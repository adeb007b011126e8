{ config(a, b, c):: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'near' }, data: { name: a, namespace: b, color: c } } }
