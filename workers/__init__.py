"""Koe's speaking side: it takes utterances from the queue and turns them into audio.

The packages import in one direction: `process`, `jobs`, `synthesis`, `engines`, `text`. `setup` prepares a machine and is
used by `koe fetch` and `koe doctor`. `tasks` holds the functions that the queue calls by name; `failures` says what an
exception means for each of them.

Why a worker imports only `app.core` of `app`: synthesis does not depend on the API, and a worker needs no memory for a web
framework.
"""
