"""The one door to Kubernetes clusters: kubeconfig, lists, watches, metrics, dry runs, in raw dictionaries."""
