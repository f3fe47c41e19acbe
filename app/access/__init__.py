"""Who may use the API, and how much.

API keys, and the limits of each key: requests in a period, requests open at the same time.

Why Redis counts: several API processes then enforce the same limit as one.
"""
