"""The kill loop: real processes are killed while people buy and pay, then everything is proved.

Every client writes down what it was told. Whatever was killed, cut or lost meanwhile: what was
answered exists exactly once, what was not answered is found out by asking again, and the audit is
green after a plain restart. The same seed gives the same plan of blows.
"""
