"""A power study of a mediation model timed here and in R's lavaan, in one run: ``python benchmarks/power.py``.

12 indicators, 3 factors, samples of 500, an indirect effect: draw, fit, standard errors, power. lavaan simulates and
fits 100 samples (simsem does the same); its time for 1,000 is ten times that. Set OPENBLAS_NUM_THREADS=1.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import time

import psm_analysis as psm

FACTORS = "xmy"
POPULATION = "\n".join(
    [
        *(f"{name.upper()} =~ 1*{name}1 + 0.9*{name}2 + 0.8*{name}3 + 0.85*{name}4" for name in FACTORS),
        *(f"{name}{i} ~~ 0.36*{name}{i}" for name in FACTORS for i in range(1, 5)),
        "X ~~ 1*X",
        "M ~~ 0.64*M",
        "Y ~~ 0.64*Y",
        "M ~ 0.5*X",
        "Y ~ 0.4*M + 0.2*X",
    ]
)
MODEL = "\n".join(
    [
        *(f"{name.upper()} =~ {name}1 + {name}2 + {name}3 + {name}4" for name in FACTORS),
        "M ~ a*X",
        "Y ~ b*M + c*X",
        "ab := a*b",
    ]
)
LAVAAN = """
suppressMessages(library(lavaan))
truth <- "{truth}"; model <- "{model}"
one <- function(i) {{
  fit <- sem(model, simulateData(truth, sample.nobs = 500, seed = i))
  estimates <- parameterEstimates(fit)
  estimates$pvalue[estimates$lhs == "ab"]
}}
one(0)
cat(system.time(sapply(1:{n}, one))[["elapsed"]])
"""


def our_time(replicates: int, *, repeats: int) -> float:
    """Return the median seconds of a study."""
    people = psm.population(POPULATION)
    psm.monte_carlo(people, MODEL, nobs=500, seed=1, replicates=20)
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        psm.monte_carlo(people, MODEL, nobs=500, seed=1, replicates=replicates).tidy()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def lavaan_time(n: int) -> float | None:
    """Return lavaan's seconds, or None if Rscript or lavaan is not there."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return None
    code = LAVAAN.format(truth=POPULATION.replace("\n", "\\n"), model=MODEL.replace("\n", "\\n"), n=n)
    done = subprocess.run([rscript, "-e", code], capture_output=True, text=True, check=False)
    return float(done.stdout.split()[-1]) if done.returncode == 0 else None


def main() -> None:
    ours = our_time(1000, repeats=5)
    print(f"psm_analysis, 1,000 samples {ours:9.3f} s")
    theirs = lavaan_time(100)
    if theirs is None:
        print("lavaan (R) skipped: Rscript with lavaan is not installed")
    else:
        print(f"lavaan (R),     100 samples {theirs:9.3f} s   {10.0 * theirs / ours:6.1f} x per sample")


if __name__ == "__main__":
    main()
