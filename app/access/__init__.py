"""Access to the API: keys, and their limits.

A key limits the requests in a period and the requests that are open at the same time.

Why Redis counts: several API processes then enforce the same limit as one.
"""
