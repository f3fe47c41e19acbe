"""One module for each resource of the API.

A route reads the request, asks `app.delivery` or `app.core` and returns an answer.

Why routes hold no rules about speech: the command line, the jobs and the routes must agree on them, so they are in `app.core`.
"""
