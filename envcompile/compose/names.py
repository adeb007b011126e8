"""What resources are called by others: plain tuples, which are remembered of units."""

from __future__ import annotations

Moved = tuple[str, str, str]
"""Kind, namespace as the sources write it, and name of an object."""
Name = tuple[str, str, str]
"""What a resource is called by others: the kind of name, a namespace (or API group), and the name itself."""
Named = tuple[str, str]
"""Kind and name of a ConfigMap or Secret in the namespace of who names it."""
