"""The promises of `envcompile.kubeapi`."""
