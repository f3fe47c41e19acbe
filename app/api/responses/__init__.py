"""Turns a result or an error into the bytes of an answer.

`streaming` is the one base for audio, events and files with ranges; `errors` has the table that gives each class of error its
HTTP status.

Why the work stops when the client disconnects: speech that nobody hears takes compute time from other requests.
"""
