"""Speech for a text that arrives while it is spoken: `cutter` finds the parts, `speech` has them spoken in order.

Why apart from the protocols: each of them needs the same, and none of it depends on how messages look.
"""
