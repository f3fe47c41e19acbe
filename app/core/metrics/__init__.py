"""The metrics of both sides: the table of their names, and the counts that workers hand over through Redis.

Why workers hand their counts over: Prometheus then needs one address for the whole fleet, and a worker that dies takes no count
with it.
"""
