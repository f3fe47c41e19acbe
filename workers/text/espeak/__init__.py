"""espeak-ng, the C library, in processes of its own.

Why processes: some texts make the library crash or hang, and then only a child process is lost.
"""
