"""Studies: every table of a paper as a function; published ones recomputed beside what was printed."""
