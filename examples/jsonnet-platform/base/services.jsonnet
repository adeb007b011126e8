// The services of the platform; the parameters are those of environment.yaml.
local platform = import 'lib/service.libsonnet';

function(region, namespace)
  local services = {
    accounts: platform.service('accounts', 'registry.example.com/accounts:3.2.0', env={ REGION: region }),
    billing: platform.service('billing', 'registry.example.com/billing:1.9.4', env={
      REGION: region,
      ACCOUNTS_URL: 'http://accounts.%s.svc' % namespace,
    }),
    mailer: platform.service('mailer', 'registry.example.com/mailer:0.8.1', port=8025, replicas=1),
  };
  [object for name in std.objectFields(services) for object in std.objectValues(services[name])]
