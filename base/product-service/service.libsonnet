// The resources that make up one HTTP service of the shop, as functions of what is particular to it.
{
  local shop = self,

  labels(name):: {
    app: name,
    'app.kubernetes.io/name': name,
    'app.kubernetes.io/part-of': 'shop',
    'app.kubernetes.io/component': 'backend',
  },

  metadata(name, service=name):: { name: name, labels: shop.labels(service) },

  // Text of a properties file: keys in the order of the sections, one comment line for each section.
  properties(sections):: std.join('\n', [
    std.lines(['# ' + section.title] + ['%s=%s' % line for line in section.lines])
    for section in sections
  ]),

  envFromConfig(variable, name, key):: {
    name: variable,
    valueFrom: { configMapKeyRef: { name: name, key: key } },
  },

  envFromSecret(variable, name, key):: {
    name: variable,
    valueFrom: { secretKeyRef: { name: name, key: key } },
  },

  // No `replicas`: the service's autoscaler decides, and a number here would reset its decision at every sync.
  deployment(name, image, resources, env):: {
    local probe(path, more) = { httpGet: { path: path, port: 'http' } } + more,
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: shop.metadata(name),
    spec: {
      revisionHistoryLimit: 5,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      selector: { matchLabels: { app: name } },
      template: {
        metadata: {
          labels: shop.labels(name),
          annotations: {
            'prometheus.io/scrape': 'true',
            'prometheus.io/port': '9090',
            'prometheus.io/path': '/metrics',
          },
        },
        spec: {
          serviceAccountName: name,
          // The pods agree through a Lease which of them runs the scheduled jobs.
          automountServiceAccountToken: true,
          terminationGracePeriodSeconds: 45,
          securityContext: { runAsNonRoot: true, fsGroup: 1000, seccompProfile: { type: 'RuntimeDefault' } },
          affinity: {
            podAntiAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [{
                weight: 100,
                podAffinityTerm: {
                  labelSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: [name] }] },
                  topologyKey: 'kubernetes.io/hostname',
                },
              }],
            },
          },
          containers: [{
            name: name,
            image: image,
            imagePullPolicy: 'IfNotPresent',
            ports: [
              { name: 'http', containerPort: 8080, protocol: 'TCP' },
              { name: 'metrics', containerPort: 9090, protocol: 'TCP' },
            ],
            env: env,
            resources: resources,
            startupProbe: probe('/health', {
              initialDelaySeconds: 10,
              periodSeconds: 10,
              timeoutSeconds: 3,
              failureThreshold: 30,
            }),
            livenessProbe: probe('/health', { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 }),
            readinessProbe: probe('/ready', { periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 3 }),
            lifecycle: { preStop: { sleep: { seconds: 5 } } },
            securityContext: {
              runAsNonRoot: true,
              runAsUser: 1000,
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'] },
            },
            volumeMounts: [
              { name: 'tmp', mountPath: '/tmp' },
              { name: 'config', mountPath: '/app/config', readOnly: true },
            ],
          }],
          volumes: [
            { name: 'tmp', emptyDir: { sizeLimit: '128Mi' } },
            { name: 'config', configMap: { name: name + '-config' } },
          ],
        },
      },
    },
  },

  service(name):: {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: shop.metadata(name),
    spec: {
      type: 'ClusterIP',
      selector: { app: name },
      ports: [
        { name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' },
        { name: 'metrics', port: 9090, targetPort: 'metrics', protocol: 'TCP' },
      ],
    },
  },

  configMap(name, data):: {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: shop.metadata(name + '-config', name),
    data: data,
  },

  secret(name, references):: {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: shop.metadata(name + '-secret', name),
    type: 'Opaque',
    stringData: references,
  },

  ingress(name, host, path, requestsPerSecond):: {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: shop.metadata(name + '-ingress', name) {
      annotations: {
        'nginx.ingress.kubernetes.io/ssl-redirect': 'true',
        'nginx.ingress.kubernetes.io/limit-rps': requestsPerSecond,
      },
    },
    spec: {
      ingressClassName: 'nginx',
      tls: [{ hosts: [host], secretName: 'api-tls' }],
      rules: [{
        host: host,
        http: {
          paths: [{
            path: path,
            pathType: 'Prefix',
            backend: { service: { name: name, port: { name: 'http' } } },
          }],
        },
      }],
    },
  },

  podDisruptionBudget(name):: {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: shop.metadata(name + '-pdb', name),
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: { app: name } },
    },
  },

  horizontalPodAutoscaler(name, minimum, maximum, cpu):: {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: shop.metadata(name + '-hpa', name),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: name },
      minReplicas: minimum,
      maxReplicas: maximum,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: cpu } } },
        {
          type: 'Pods',
          pods: {
            metric: { name: 'http_requests_per_second' },
            target: { type: 'AverageValue', averageValue: '100' },
          },
        },
      ],
      behavior: {
        scaleDown: {
          stabilizationWindowSeconds: 300,
          policies: [{ type: 'Percent', value: 50, periodSeconds: 60 }],
        },
        scaleUp: {
          stabilizationWindowSeconds: 0,
          policies: [
            { type: 'Percent', value: 100, periodSeconds: 30 },
            { type: 'Pods', value: 2, periodSeconds: 30 },
          ],
          selectPolicy: 'Max',
        },
      },
    },
  },

  serviceAccount(name):: {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: shop.metadata(name),
    automountServiceAccountToken: false,
  },

  role(name):: {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: shop.metadata(name),
    rules: [
      // A name cannot be asked for in `create`: the object does not exist yet.
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
      {
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        resourceNames: [name],
        verbs: ['get', 'update'],
      },
    ],
  },

  roleBinding(name):: {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: shop.metadata(name),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: name },
    subjects: [{ kind: 'ServiceAccount', name: name }],
  },

  networkPolicy(name, callers, redis=false, privatePorts=[]):: {
    local tcp(port) = { protocol: 'TCP', port: port },
    local namespace(value) = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': value } } },
    local pods(names) = { podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: names }] } },
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: shop.metadata(name),
    spec: {
      podSelector: { matchLabels: { app: name } },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        { from: [namespace('ingress-nginx')], ports: [tcp(8080)] },
        { from: [pods(callers)], ports: [tcp(8080)] },
        { from: [namespace('monitoring')], ports: [tcp(9090)] },
      ],
      egress: [
        {
          to: [namespace('kube-system') { podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }],
          ports: [{ protocol: 'UDP', port: 53 }, tcp(53)],
        },
      ] + (if redis then [{ to: [pods(['redis'])], ports: [tcp(6379)] }] else []) + (
        // What has addresses in the private network and no pods to select: databases, search and the Kubernetes API.
        if privatePorts == [] then []
        else [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }], ports: [tcp(port) for port in privatePorts] }]
      ),
    },
  },
}
