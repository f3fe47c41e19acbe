"""Kokoro's inference: first prosody, then samples, on a CPU or a GPU.

Why it has two halves: the first computes pitch and durations and always runs on the CPU, in one thread, so that they are the
same on every device. The second only renders them, so each device may use its fastest method.
"""
