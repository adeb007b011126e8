"""Back to a recorded state: as output, or as a change of the sources that is proven before it is written."""
