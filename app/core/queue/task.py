"""The names of the tasks on the queue.

Why names and not functions: the API puts tasks into the queue and never imports the workers.
"""

from enum import StrEnum


class Task(StrEnum):
    """Dotted names of the tasks; a test resolves them."""

    SPEAK = "workers.tasks.speak"
    PLAN = "workers.tasks.plan_job"
    PART = "workers.tasks.speak_part"
    JOIN = "workers.tasks.join_job"
    PHONEMIZE = "workers.tasks.phonemize"
    READ = "workers.tasks.read_document"
