# psych where it is easily missed: varimax on a flat criterion, two minima of minres, omega of four group factors, very
# simple structure, Guttman's coefficients. Usage, in tests/golden: Rscript generate/agreement.R > values/agreement.json
suppressMessages({library(psych); library(GPArotation); library(jsonlite)})
rows <- read.csv("data/survey.csv")
quietly <- function(x) { sink("/dev/null"); on.exit(sink()); suppressWarnings(suppressMessages(x)) }
full <- function(p, lower) { R <- diag(p); R[upper.tri(R)] <- lower; R[lower.tri(R)] <- t(R)[lower.tri(R)]; R }
flat <- full(8, c(-0.529, 0.688, -0.51, 0.376, -0.28, 0.398, -0.342, 0.165, -0.248, -0.111, 0.255, -0.19, 0.178, 0.1, -0.363,
  -0.311, 0.202, -0.266, -0.214, 0.52, -0.302, -0.147, 0.095, -0.122, -0.096, 0.31, -0.343, 0.293))
twofold <- full(9, c(0.506, 0.618, 0.411, 0.356, 0.111, 0.138, -0.033, 0.297, 0.001, 0.357, 0.277, 0.338, 0.377, 0.053, 0.315,
  -0.022, 0.253, -0.193, -0.129, 0.056, 0.114, -0.102, 0.163, -0.069, 0.147, 0.195, -0.018, 0.246, -0.081, 0, -0.089, -0.043,
  -0.029, 0.174, 0.128, 0.232))
loadings_of <- function(R, k, n, rotate) unname(unclass(quietly(fa(R, k, n.obs = n, rotate = rotate))$loadings)[, ])
psm <- rows[grep("^psm", names(rows))]
bo <- rows[grep("^bo", names(rows))]
general <- quietly(omega(psm, 4, flip = FALSE, plot = FALSE))
simple <- quietly(vss(cor(psm, use = "pairwise"), 6, n.obs = nrow(psm), plot = FALSE))
bounds <- quietly(guttman(bo))
values <- list(
  reference = paste("psych", packageVersion("psych"), "GPArotation", packageVersion("GPArotation"), R.version.string),
  flat = list(matrix = flat, varimax = loadings_of(flat, 2, 400, "varimax"), promax = loadings_of(flat, 2, 400, "promax")),
  twofold = list(matrix = twofold, communalities = unname(quietly(fa(twofold, 3, n.obs = 30, rotate = "none"))$communality)),
  omega = list(total = general$omega.tot, hierarchical = general$omega_h, explained = general$ECV,
               communalities = unname(general$schmid$sl[, "h2"])),
  vss = list(one = simple$cfit.1, two = simple$cfit.2),
  guttman = unname(unlist(bounds[c("lambda.1", "lambda.2", "lambda.3", "lambda.5", "lambda.6")]))
)
cat(toJSON(values, digits = 8, auto_unbox = TRUE), "\n")
