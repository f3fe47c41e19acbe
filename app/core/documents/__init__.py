"""Documents: files that users have sent, as the API and the workers share them: what was read of each, and its text.

Why what was read stands in Redis and the text in the store: lists and menus need the former at once; the text may have
megabytes, and only jobs and readers of a chapter need it.
"""
