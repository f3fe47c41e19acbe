"""The computations of the CPU decoder: convolutions, residual blocks, norms.

Why they are PyTorch operations and not compiled code: they run wherever PyTorch runs, without a build. They save time because
they need fewer products (Toom-Cook, Fourier) and work on pieces that stay in the processor's cache.

Why a fixed rule chooses the algorithm for each convolution: algorithms differ in the last digits, and two workers must return
the same samples.
"""
