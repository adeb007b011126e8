"""The repositories below examples/ are what they say."""
