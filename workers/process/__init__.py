"""One worker process: slots, heartbeat and shutdown.

Why slots are threads and not processes: they share one loaded model, and they wait most of the time.
"""
