"""The users' lexicons: words and phonemes that an owner has put into Redis, for all requests of that owner.

Why not a file, as the operator's: users change their words while the server runs, and all API processes must know them.
"""
