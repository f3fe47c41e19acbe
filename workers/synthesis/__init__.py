"""From an utterance to encoded audio: prepare segments, schedule them, join them, encode them.

Why segments go through one scheduler: compute threads are few, utterances are many, and the next segment must be the one
whose listener would run out of audio first.

Why the result is deterministic: when a worker dies, the next one repeats the work and adds only the bytes that are missing.
"""
