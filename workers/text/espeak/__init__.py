"""espeak-ng, in processes of its own."""
