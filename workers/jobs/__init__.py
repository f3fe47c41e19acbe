"""Users' jobs on the workers' side: divides them into parts, speaks and joins these, and announces the end by webhook.

`runner` runs the steps of a job: `planner`, `speaker` and `joiner`. `sweeper` repairs stalled jobs and deletes expired ones.

Why parts: many slots speak one book at the same time, and the death of a worker costs one segment.

Why parts are stored as PCM and encoded at the end: loudness is levelled over the whole file, and headers need exact lengths.
"""
