"""Speech over WebSockets: a text streams in while its audio streams out, in the protocols of several services.

`admission` opens a session, `speaker` speaks in it, `socket` carries its messages; `together`, `cartesia` and `realtime` are
the protocols.

Why other services' protocols and none of our own: their clients exist, and need only another address.
"""
