"""Users' jobs on the workers' side: divided into parts, spoken, joined into one file, announced by webhooks.

`runner` runs the steps of a job: `planner`, `speaker` and `joiner`, each with what it works with. `sweeper` mends and deletes.

Why parts: many slots speak one book at the same time, and a worker that dies costs one segment.

Why parts are stored as PCM and encoded at the end: loudness is evened over the whole file, and headers state exact lengths.
"""
