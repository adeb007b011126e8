"""From source documents to the resources of one environment: identity, patches, settings, provenance."""
