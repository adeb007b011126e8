"""What envc costs beside the tools it is compared with."""
