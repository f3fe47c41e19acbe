"""Koe's speaking side: it takes utterances from the queue and turns them into audio.

The packages import in one direction: `process`, `jobs`, `synthesis`, `engines`, `text`. `setup` prepares a machine and is
used by `koe fetch` and `koe doctor`. `tasks` holds the functions that the queue calls by name; `failures` says what an
exception means for each of them.

Why a worker imports nothing of `app` but `app.core`: how speech is made does not depend on how it is asked for, and a
worker spends no memory on a web framework.
"""
