"""The computations of the CPU decoder: convolutions, residual blocks, norms.

Why they are written here in PyTorch operations and not compiled: they run wherever PyTorch runs, with nothing to build. The
time is won by fewer products (Toom and Cook, Fourier) and by pieces that stay in the processor's cache.

Why a fixed rule chooses the algorithm for each convolution: algorithms differ in the last digits, and two workers must
return the same samples.
"""
