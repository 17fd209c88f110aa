"""Survey files: reading, checking and screening them."""
