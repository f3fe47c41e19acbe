"""espeak-ng, the C library, in processes of its own.

Why processes: some texts make the library crash or hang, and only a child process may be lost by that.
"""
