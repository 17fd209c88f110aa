# How values/mixed_moments.json was made: two-step moments of ordinal and continuous variables and their
# asymptotic covariance (N times), in lavaan's order (wls.obs; vech of gamma by columns).
#   Rscript mixed_moments.R DATA_FOLDER OUT.json
# psm3 is split at 3; with "pairwise", variable j of row i is missing where i * (j + 2) + j is divisible by 13.
library(lavaan)
library(jsonlite)
arguments <- commandArgs(TRUE)
survey <- read.csv(file.path(arguments[1], "survey.csv"))
survey$psm3 <- as.integer(survey$psm3 > 3)
mixed <- list(variables = c("psm1", "bo1", "psm2", "psm3", "bo2"), ordinal = c("psm1", "psm2", "psm3"))
ordinal <- list(variables = c("psm1", "psm2", "psm3", "psm4"), ordinal = c("psm1", "psm2", "psm3", "psm4"))
x <- c("gender", "weight")
cases <- list(
  c(list(id = "mixed"), mixed),
  c(list(id = "mixed-x", x = x), mixed),
  c(list(id = "ordinal-x", x = x), ordinal),
  c(list(id = "mixed-pairwise", missing = "pairwise"), mixed),
  c(list(id = "mixed-x-pairwise", x = x, missing = "pairwise"), mixed),
  c(list(id = "mixed-weights", weights = "weight"), mixed),
  c(list(id = "ordinal-weights", weights = "weight"), ordinal),
  c(list(id = "mixed-x-weights", x = "gender", weights = "weight"), mixed)
)
run <- function(case) {
  data <- survey
  if (!is.null(case$missing)) {
    for (j in seq_along(case$variables)) data[(seq_len(nrow(data)) * (j + 2) + j) %% 13 == 0, case$variables[j]] <- NA
  }
  model <- paste("f =~", paste(case$variables, collapse = " + "))
  if (!is.null(case$x)) model <- c(model, paste("f ~", paste(case$x, collapse = " + ")))
  fit <- sem(model, data, ordered = case$ordinal, estimator = "WLSMV",
             missing = if (is.null(case$missing)) "listwise" else case$missing,
             sampling.weights = case$weights, do.fit = FALSE)
  c(case, list(
    wls_obs = unname(lavTech(fit, "wls.obs")[[1]]),
    gamma = lav_matrix_vech(lavTech(fit, "gamma")[[1]])
  ))
}
versions <- list(R = paste(R.version$major, R.version$minor, sep = "."), lavaan = as.character(packageVersion("lavaan")))
out <- list(versions = versions, data = "survey.csv", cases = lapply(cases, run))
write_json(out, arguments[2], digits = I(10), auto_unbox = TRUE)
