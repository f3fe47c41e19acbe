"""Tags that are no HTML of a page: thoughts of models, SSML, ruby, and all others.

Why before the text is divided: a thought may be as long as a book, and a voice holds until its tag ends.
"""
