"""This machine and this process: its folders, limits, parent, terminal."""
