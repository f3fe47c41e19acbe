"""How an utterance reaches a worker, and how its audio comes back.

The API submits an utterance and a worker speaks it; the worker writes audio to a Redis Stream and the API reads it. A record
for each utterance says whether it waits, is being spoken or is finished. Spoken segments are cached too.

Why both ends of each protocol are in one module: a change to one end usually needs a change to the other.

Why the version is part of a queue's name: an API and workers of different versions never exchange data that one of them
misreads.
"""
