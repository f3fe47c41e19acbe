"""Documents: reads the text of a file, with its chapters, title and cover, for jobs and for people.

`answering` is the task, `process` runs one `child` for each file, and `kinds` chooses what reads it: `epub`, `word`, `markup`
or `texts`. All of them make a `book`.

Why a process of its own for each file: files are hostile. The process has no secrets, opens no file and no connection, and the
system ends it when it uses up its memory or its time, so that no file can harm the worker or delay its listeners.

Why chapters are lists of blocks until the end: titles, notes and the ends of chapters are found by where paragraphs begin.
"""
