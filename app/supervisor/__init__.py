"""What `koe serve` starts and watches: the queue, the workers and the API."""
