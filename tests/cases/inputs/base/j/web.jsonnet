local shop = import 'shop.libsonnet';
local web = import 'web/web.libsonnet';
local near = import 'near.libsonnet';
function(environment) {
  service: web.service('from-jsonnet', shop.port),
  nested: { deeper: [near.config(environment.name, std.extVar('environment').namespace, environment.params.color)] },
}
