"""What is set aside beside a resource."""
