"""Charts of others: rendered by the real helm into documents of the base, and traced to the values that made them.

The compiled chart is packed and pushed from here, too: both need the real helm.
"""
