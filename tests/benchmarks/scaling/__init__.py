"""A day of listeners on a simulated fleet, under three policies for its size: how long they wait, and what the fleet costs.

Why simulated: a day on many machines costs a day and many machines. What the simulation takes as given is measured on one.
"""
