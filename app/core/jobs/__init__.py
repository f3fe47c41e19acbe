"""Users' jobs: their records, their files and their webhooks, as the API and the workers share them.

Why every step of a job is one Lua script: several processes change a job at the same time, and a cancelled job must never
become completed.

Why webhook addresses are checked here: the API refuses a bad one when a job is submitted. A worker checks again before it
sends, because the name may resolve to another address by then.
"""
