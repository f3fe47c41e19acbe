"""How an utterance reaches a worker, and how its audio comes back.

The API submits an utterance and a worker takes it; the worker writes audio to a Redis Stream and the API reads it. A record
for each utterance says whether it waits, is being spoken or is finished. Finished segments are cached beside it.

Why both ends of each protocol stand in one module: whoever changes what is written then sees what reads it.

Why the queue's version is part of its name: an API and workers of different versions never exchange data that the other
misreads.
"""
