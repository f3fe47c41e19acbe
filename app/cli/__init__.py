"""The `koe` command.

Some subcommands start Koe's processes; the others (`say`, `voices`, `jobs`, …) are clients of a running server.

Why these clients use HTTP like any other client: they then work from any machine, with a server on any machine.
"""
