"""From the bytes of a request to what was asked."""
