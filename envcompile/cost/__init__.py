"""What compiled resources cost: requests times prices, a pure calculation in exact numbers."""
