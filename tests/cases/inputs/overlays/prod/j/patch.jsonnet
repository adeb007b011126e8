{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'from-jsonnet' }, spec: { ports: [{ port: 8080, targetPort: 'http' }] } }
