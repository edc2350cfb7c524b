"""Benchmarks: each path beside its floor, in one run, on one machine.

Absolute figures move from run to run; the ratio of two things measured in turns does not. A floor
is the least a program could do for the same result, written without our house around it.
"""
