"""One worker process: its slots, its heartbeat, its shutdown."""
