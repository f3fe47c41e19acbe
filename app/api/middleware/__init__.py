"""Everything that happens to every request, whatever its route.

Host names, path prefixes of proxies, keys, CORS, HEAD, common headers, and the log line.

Why refusals pass through here as well: a request that the server or a guard refuses gets the same envelope, the same
headers and the same log line as any other.
"""
