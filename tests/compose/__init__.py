"""The promises of `envcompile.compose`."""
