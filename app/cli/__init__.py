"""The `koe` command."""
