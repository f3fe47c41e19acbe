"""The HTTP side: one file for each resource, HTTP and nothing else."""
