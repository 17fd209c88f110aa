# Pooled ordinal models with semTools::cfa.mi, for data/imputations.csv (Holzinger and Swineford's variables in four
# categories, an eighth of the answers imputed five times). Usage, in tests/golden: Rscript generate/imputation.R > values/imputation.json
suppressMessages({library(lavaan); library(semTools); library(jsonlite)})
rows <- read.csv("data/imputations.csv")
frames <- lapply(1:5, function(k) subset(rows, imputation == k))
items <- paste0("x", 1:9)
model <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
narrow <- paste0(model, "\nvisual ~~ 0*speed")
fitted <- function(text, ...) cfa.mi(text, data = frames, ordered = items, estimator = "WLSMV", ...)
taken <- function(fit) {
  table <- summary(fit, output = "data.frame", fmi = TRUE, scale.W = FALSE)
  table <- subset(table, !is.na(t) | se > 0)
  list(rows = table[c("lhs", "op", "rhs", intersect("group", names(table)), "est", "se", "fmi", "riv")],
       plain = as.list(anova(fit, test = "D2", asymptotic = TRUE)),
       robust = as.list(anova(fit, test = "D2", asymptotic = TRUE, pool.robust = TRUE)),
       f = as.list(anova(fit, test = "D2", asymptotic = FALSE)),
       f_robust = as.list(anova(fit, test = "D2", asymptotic = FALSE, pool.robust = TRUE)))
}
whole <- fitted(model)
found <- list(lavaan = as.character(packageVersion("lavaan")), semTools = as.character(packageVersion("semTools")),
              whole = taken(whole), groups = taken(fitted(model, group = "school")),
              nested = as.list(anova(whole, fitted(narrow), test = "D2", asymptotic = FALSE)))
cat(toJSON(found, auto_unbox = TRUE, digits = 10, pretty = TRUE, na = "null"))
