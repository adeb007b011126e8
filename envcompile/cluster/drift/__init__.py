"""What differs between a compiled object and the live one, without a network: values in, differences out."""
