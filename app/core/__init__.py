"""The code that the API and the workers share.

`speech` is the content of a request; `storage` is Redis; `queue` and `jobs` are the two kinds of work in it; `weights` are
Kokoro's files; `host` is this machine. The modules next to these folders serve all of them: settings, errors, logs, limits.

Why it imports neither an HTTP framework nor a model: both sides import it, and each side starts without the other's packages.
"""
