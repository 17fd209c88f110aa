"""Tables and figures of a paper, made from plain DataFrames and rendered last.

A table is a value (`tables.Table`) that keeps raw numbers; rounding happens in `numbers`, and only when it is shown.
"""
