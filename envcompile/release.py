"""Which envc this is: apart, so that the rooms below can ask without importing what is above them."""

__version__ = "0.1.0"
