// The product catalogue, wholly in jsonnet: one function of the environment it is compiled for.
local shop = import 'service.libsonnet';

function(environment)
  local name = 'product-service';
  local config = name + '-config';
  local secret = name + '-secret';
  {
    deployment: shop.deployment(
      name,
      image='registry.example.com/product-service:v1.0.0',
      resources={
        requests: { cpu: '200m', memory: '384Mi' },
        limits: { cpu: '1', memory: '768Mi' },
      },
      env=[
        { name: 'ENVIRONMENT', value: environment.params.stage },
        shop.envFromConfig('LOG_LEVEL', config, 'log_level'),
        shop.envFromSecret('DATABASE_URL', secret, 'database_url'),
        shop.envFromSecret('SEARCH_API_KEY', secret, 'search_api_key'),
      ],
    ),

    service: shop.service(name),

    config: shop.configMap(name, {
      log_level: 'info',
      cache_ttl: '900',
      'app.properties': shop.properties([
        { title: 'HTTP and metrics', lines: [
          ['server.port', 8080],
          ['management.server.port', 9090],
          ['management.endpoints.web.exposure.include', 'health,prometheus'],
          ['logging.level.root', 'INFO'],
        ] },
        { title: 'Database', lines: [
          ['spring.datasource.url', '${DATABASE_URL}'],
          ['spring.datasource.hikari.maximum-pool-size', 20],
          ['spring.datasource.hikari.minimum-idle', 5],
          ['spring.jpa.hibernate.ddl-auto', 'none'],
          ['spring.jpa.show-sql', false],
        ] },
        { title: 'Catalogue', lines: [
          ['spring.data.redis.host', 'redis'],
          ['spring.data.redis.port', 6379],
          ['catalogue.images.url', 'https://%s/api/products/images' % environment.params.domain],
          ['catalogue.search.index', 'products-' + environment.name],
        ] },
      ]),
    }),

    secret: shop.secret(name, {
      database_url: 'ref+env://PRODUCT_SERVICE_DATABASE_URL',
      search_api_key: 'ref+env://PRODUCT_SERVICE_SEARCH_API_KEY',
    }),

    ingress: shop.ingress(name, environment.params.domain, '/api/products', environment.params.limitRps),

    disruption: shop.podDisruptionBudget(name),

    autoscaler: shop.horizontalPodAutoscaler(name, minimum=3, maximum=10, cpu=70),

    access: [shop.serviceAccount(name), shop.role(name), shop.roleBinding(name)],

    network: shop.networkPolicy(
      name,
      callers=['order-service', 'recommendation-service'],
      redis=true,
      privatePorts=[5432, 6443, 9200],
    ),
  }
