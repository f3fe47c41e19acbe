"""How an utterance reaches a worker, and how its audio comes back.

The API submits an utterance and a worker speaks it; the worker writes audio to a Redis Stream and the API reads it. A record
for each utterance says whether it waits, is being spoken or is finished. Finished segments are cached beside it.

Why both ends of each protocol stand in one module: a change of the writer shows the reader on the same page.

Why the version is part of a queue's name: an API and workers of different versions never exchange data that the other misreads.
"""
