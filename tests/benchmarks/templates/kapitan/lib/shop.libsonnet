// Objects of one service: objects(params, {namespace, labels}) -> {deployment: ..., ...}
{
  local probe(p, extra) = { httpGet: { path: p.probePath, port: 'http', scheme: 'HTTP' } } + extra,

  objects(p, env):: {
    local name = p.name,
    local selector = { 'app.kubernetes.io/name': name },
    local labels = selector {
      'app.kubernetes.io/part-of': 'shop',
      'app.kubernetes.io/component': p.component,
      team: p.team,
    },
    local meta(suffix='') = { name: name + suffix, namespace: env.namespace, labels: labels + env.labels },

    local app = {
      name: 'app',
      image: '%s:%s' % [p.image.repo, p.image.tag],
      imagePullPolicy: 'IfNotPresent',
      ports: [
        { name: 'http', containerPort: p.port, protocol: 'TCP' },
        { name: 'metrics', containerPort: p.metricsPort, protocol: 'TCP' },
      ],
      envFrom: [{ configMapRef: { name: name + '-config' } }],
      env: [{ name: k, value: p.env[k] } for k in std.objectFields(p.env)]
           + [
             { name: 'SECRET_' + k, valueFrom: { secretKeyRef: { name: name + '-secret', key: k } } }
             for k in std.objectFields(p.secrets)
           ]
           + [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
      resources: p.resources,
      startupProbe: probe(p, { failureThreshold: 30, periodSeconds: 5 }),
      livenessProbe: probe(p, { initialDelaySeconds: 10, periodSeconds: 15, timeoutSeconds: 3 }),
      readinessProbe: probe(p, { initialDelaySeconds: 5, periodSeconds: 10, timeoutSeconds: 3 }),
      lifecycle: { preStop: { exec: { command: ['/bin/sh', '-c', 'sleep 5'] } } },
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        capabilities: { drop: ['ALL'] },
      },
      volumeMounts: [
        { name: 'config', mountPath: '/etc/app', readOnly: true },
        { name: 'secret', mountPath: '/etc/secret', readOnly: true },
        { name: 'tmp', mountPath: '/tmp' },
      ],
    },
    local proxy = {
      name: 'proxy',
      image: 'registry.example.com/infra/envoy:1.31.2',
      args: ['--config-path', '/etc/app/envoy.yaml', '--log-level', 'warn'],
      ports: [{ name: 'proxy', containerPort: 15001, protocol: 'TCP' }],
      resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '128Mi' } },
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    },
    local migrate = {
      name: 'migrate',
      image: 'registry.example.com/infra/migrate:4.17.1',
      command: ['/migrate', '--lock-timeout=30s', 'up'],
      envFrom: [{ secretRef: { name: name + '-secret' } }],
    },

    deployment: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: meta(),
      spec: {
        replicas: p.replicas,
        revisionHistoryLimit: 5,
        selector: { matchLabels: selector },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } },
        template: {
          metadata: {
            labels: labels,
            annotations: {
              'prometheus.io/scrape': 'true',
              'prometheus.io/port': std.toString(p.metricsPort),
              'prometheus.io/path': '/metrics',
            },
          },
          spec: {
            serviceAccountName: 'default',
            terminationGracePeriodSeconds: p.grace,
            securityContext: {
              runAsUser: 10001,
              runAsGroup: 10001,
              fsGroup: 10001,
              seccompProfile: { type: 'RuntimeDefault' },
            },
            affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{
              weight: 100,
              podAffinityTerm: {
                topologyKey: 'kubernetes.io/hostname',
                labelSelector: { matchLabels: selector },
              },
            }] } },
            topologySpreadConstraints: [{
              maxSkew: 1,
              topologyKey: 'topology.kubernetes.io/zone',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: selector },
            }],
            [if p.migrate then 'initContainers']: [migrate],
            containers: [app] + (if p.sidecar then [proxy] else []),
            volumes: [
              { name: 'config', configMap: { name: name + '-config', defaultMode: 420 } },
              { name: 'secret', secret: { secretName: name + '-secret', defaultMode: 288 } },
              { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
            ],
          },
        },
      },
    },

    service: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: meta(),
      spec: {
        type: 'ClusterIP',
        selector: selector,
        ports: [
          { name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' },
          { name: 'metrics', port: p.metricsPort, targetPort: 'metrics', protocol: 'TCP' },
        ],
      },
    },

    configmap: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: meta('-config'),
      data: p.config { 'app.properties': p.properties },
    },

    secret: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: meta('-secret'),
      type: 'Opaque',
      data: { [k]: std.base64(p.secrets[k]) for k in std.objectFields(p.secrets) },
    },

    ingress: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: meta() + { annotations: {
        'nginx.ingress.kubernetes.io/proxy-body-size': '8m',
        'nginx.ingress.kubernetes.io/ssl-redirect': 'true',
        'cert-manager.io/cluster-issuer': 'letsencrypt',
      } },
      spec: {
        ingressClassName: 'nginx',
        tls: [{ hosts: [p.host], secretName: name + '-tls' }],
        rules: [{ host: p.host, http: { paths: [{
          path: p.path,
          pathType: 'Prefix',
          backend: { service: { name: name, port: { name: 'http' } } },
        }] } }],
      },
    },

    pdb: {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: meta(),
      spec: { minAvailable: p.pdb.minAvailable, selector: { matchLabels: selector } },
    },

    hpa: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: meta(),
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: name },
        minReplicas: p.hpa.min,
        maxReplicas: p.hpa.max,
        metrics: [{ type: 'Resource', resource: {
          name: 'cpu',
          target: { type: 'Utilization', averageUtilization: p.hpa.cpu },
        } }],
        behavior: { scaleDown: {
          stabilizationWindowSeconds: 300,
          policies: [{ type: 'Percent', value: 50, periodSeconds: 60 }],
        } },
      },
    },
  },
}
