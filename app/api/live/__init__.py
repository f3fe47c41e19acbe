"""Speech over WebSockets: a text streams in while its audio streams out, in the protocols of several services."""
