"""Real tools beside the compiler: what kustomize, Helm, kubeseal and an API server say decides what is right."""
