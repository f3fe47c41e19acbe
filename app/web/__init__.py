"""The page at `GET /`, with its styles, scripts and pictures in `static`.

Why modules without a build step: the browser runs exactly these files, so what a person reads here is what runs there, and
nothing is loaded from another host. The folders import each other one way: `books`, `speak`, `voices`, `sound`, `basics`.
"""
