"""The promises of `envcompile.kubernetes`."""
