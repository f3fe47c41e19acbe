"""This machine and this process: memory, processors, open files, terminal, and the exit status.

Why these are asked here and not where they are used: a container limits all of them by control groups or quotas, and the
usual functions of Python report the whole machine instead.
"""
