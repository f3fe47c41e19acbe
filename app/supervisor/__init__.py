"""The processes that `koe serve` starts, watches, restarts and replaces: the queue, the workers and the API.

Why they are separate processes: the API must answer while a worker uses every core, and a process that dies takes no other one
with it.
"""
