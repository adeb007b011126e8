"""The git hosts: each module here is one, with what `registry.HostModule` asks for, and no other line anywhere."""
