"""Labels: a lot's code with what the law wants beside it, on sheets and rolls, as PDF, SVG or ZPL.

`geometry` and `layout` are pure and in millimetres; what draws them only follows.
"""
