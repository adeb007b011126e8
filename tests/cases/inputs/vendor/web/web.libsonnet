{ service(name, port):: { apiVersion: 'v1', kind: 'Service', metadata: { name: name }, spec: { selector: { app: name }, ports: [{ port: port }] } } }
