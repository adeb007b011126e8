"""How the kubelet finds out that a container is ready, alive and started."""
