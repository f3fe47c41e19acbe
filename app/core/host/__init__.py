"""This machine and this process: memory, processors, open files, terminal, and the exit status.

Why limits are read here and not with Python's usual functions: a container limits memory, processors and files by control
groups and quotas, and those functions report the whole machine.
"""
