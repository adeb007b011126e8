"""From compiled resources to files: names, text, order, the index, and the swap into place."""
