"""Models that the tests of simulation share."""

from __future__ import annotations

MEDIATION = """
X =~ x1 + x2 + x3 + x4
M =~ m1 + m2 + m3 + m4
Y =~ y1 + y2 + y3 + y4
M ~ a*X
Y ~ b*M + c*X
ab := a*b
"""
TRUE_MEDIATION = """
X =~ 1*x1 + 0.9*x2 + 0.8*x3 + 0.85*x4
M =~ 1*m1 + 0.9*m2 + 0.8*m3 + 0.85*m4
Y =~ 1*y1 + 0.9*y2 + 0.8*y3 + 0.85*y4
X ~~ 1*X
M ~~ 0.64*M
Y ~~ 0.64*Y
M ~ 0.5*X
Y ~ 0.4*M + 0.2*X
""" + "\n".join(f"{name}{i} ~~ 0.36*{name}{i}" for name in "xmy" for i in range(1, 5))
SIMPLE = "m ~ a*x\ny ~ b*m + c*x\nab := a*b"
TRUE_SIMPLE = "m ~ 0.3*x\ny ~ 0.3*m + 0.2*x\nx ~~ 1*x"
