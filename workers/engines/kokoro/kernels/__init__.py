"""The computations that the CPU decoder is made of."""
