# Every rotation of psych::fa with GPArotation, extraction "uls", on a Spearman matrix of the ei items and a polychoric
# matrix of the psm items of data/survey.csv. Usage, in tests/golden: Rscript generate/rotations.R > values/rotations.json
suppressMessages({library(psych); library(GPArotation); library(jsonlite)})
rows <- read.csv("data/survey.csv")
rotations <- c("none", "varimax", "quartimax", "equamax", "oblimin", "quartimin", "promax", "geominT", "geominQ",
               "bentlerT", "bentlerQ", "simplimax", "bifactor")
quietly <- function(x) suppressWarnings(suppressMessages(x))
all_of <- function(R, n) sapply(rotations, function(rotate)
  unname(unclass(quietly(fa(R, 4, n.obs = n, fm = "uls", rotate = rotate))$loadings)[, ]), simplify = FALSE)
ei <- rows[grep("^ei", names(rows))]
psm <- rows[grep("^psm", names(rows))]
values <- list(
  reference = paste("psych", packageVersion("psych"), "GPArotation", packageVersion("GPArotation"), R.version.string),
  spearman = all_of(cor(ei, method = "spearman", use = "pairwise"), nrow(ei)),
  polychoric = all_of(quietly(polychoric(psm, correct = 0)$rho), nrow(psm))
)
cat(toJSON(values, digits = 8, auto_unbox = TRUE), "\n")
