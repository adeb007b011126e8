local kap = import 'lib/kapitan.libjsonnet';
local shop = import 'lib/shop.libsonnet';
local p = kap.inventory().parameters;
shop.objects(p.service, p.env)
