"""From a result or an error to the bytes of an answer.

Streams of audio and of events, files with ranges, and the table that gives each class of error its HTTP status.

Why the work stops when the client disconnects: speech that nobody hears takes compute time from other requests.
"""
