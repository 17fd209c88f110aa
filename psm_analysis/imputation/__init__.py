"""Multiple imputation: completed data sets made, analysed, and their results pooled."""
