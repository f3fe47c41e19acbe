"""One worker process: its slots, its heartbeat and its shutdown.

Why slots are threads and not processes: all of them share one loaded model, and most of them wait most of the time.
"""
