"""What speaks: the engines, which know neither each other nor Redis."""
