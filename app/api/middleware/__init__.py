"""The steps that every request passes, whatever its route.

They check host names and keys, remove path prefixes of proxies, answer CORS and HEAD, add common headers, and write the log
line.

Why refusals pass through here as well: a request that the server or a guard refuses gets the same envelope, the same
headers and the same log line as any other.
"""
