"""The description of the API at `/schema`, and the page that shows it.

Why the page loads every file from this server: it must work on a machine without internet access, and a page in which
people type keys should load no code from elsewhere.
"""
