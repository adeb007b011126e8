"""What commands print with `--format json`: one model for each shape."""
