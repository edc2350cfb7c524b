"""The demo village: real villages, makers and goods from `data/`, and one sample co-operative.

Built only through the floors' own functions. Facts come from the sources alone; what no source
gives (prices, stock, papers of the sample co-operative) is marked as an illustration everywhere.
"""
