"""Gets the audio of an utterance for the API: from the cache, from work in progress, or from new work.

`delivery` opens an utterance, `listener` is one reader of it, `submitter` gets its work to a worker, and `readers` keeps the
readers of this process counted in Redis.

Why cache, joining and new work are one path: the utterance's digest names its stream, so a finished, a growing and a new
stream are read the same way, and equal requests share one without a second protocol.
"""
