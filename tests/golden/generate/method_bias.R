# The marker sequence with lavaan, for data/marker.csv (simulated: two factors, four items each, and a marker of three,
# all with one response style). Usage, in tests/golden: Rscript generate/method_bias.R > values/method_bias.json
suppressMessages({library(lavaan); library(jsonlite)})
rows <- read.csv("data/marker.csv")
four <- as.data.frame(lapply(rows, function(x) 1 + (x > -1.2) + (x > 0.1) + (x > 1.3)))
model <- "A =~ a1 + a2 + a3 + a4\nB =~ b1 + b2 + b3 + b4"
items <- c(paste0("a", 1:4), paste0("b", 1:4)); marker <- paste0("m", 1:3)
measures <- c("chisq", "df", "chisq.scaled", "cfi", "rmsea", "srmr")

sequence <- function(data, ...) {
  fit <- function(text) cfa(text, data, std.lv = TRUE, ...)
  first <- fit(paste0(model, "\nM =~ m1 + m2 + m3"))
  table <- parameterEstimates(first)
  value <- function(lhs, op, rhs) sprintf("%.15g", table$est[table$lhs == lhs & table$op == op & table$rhs == rhs])
  fixed <- paste(sprintf("%s*%s", sapply(marker, function(m) value("M", "=~", m)), marker), collapse = " + ")
  variances <- if (lavInspect(first, "options")$categorical) "" else
    paste(sprintf("%s ~~ %s*%s", marker, sapply(marker, function(m) value(m, "~~", m)), marker), collapse = "\n")
  base <- paste0(model, "\nM =~ ", fixed, "\n", variances, "\nM ~~ 0*A + 0*B")
  baseline <- fit(base)
  loads <- function(label) paste0("\nM =~ ", paste0(label, items, collapse = " + "))
  same <- fit(paste0(base, loads("m*"))); free <- fit(paste0(base, loads("")))
  correlation <- parameterEstimates(baseline); correlation <- subset(correlation, lhs == "A" & rhs == "B")$est
  fits <- list("Marker CFA" = first, Baseline = baseline, "Method-C" = same, "Method-U" = free,
               "Method-R" = fit(paste0(base, loads("m*"), sprintf("\nA ~~ %.15g*B", correlation))))
  for (level in c(.95, .99)) {
    ends <- subset(parameterEstimates(same, level = level), lhs == "M" & rhs %in% items)
    outer <- ifelse(abs(ends$ci.upper) > abs(ends$ci.lower), ends$ci.upper, ends$ci.lower)
    terms <- paste0("\nM =~ ", paste(sprintf("%.15g*%s", outer, ends$rhs), collapse = " + "))
    fits[[sprintf("Method-S(.%02d)", round(100 * (1 - level)))]] <- fit(paste0(base, terms))
  }
  std <- subset(standardizedSolution(same), op == "=~" | (op == "~~" & lhs == rhs))
  omega <- sapply(list(A = items[1:4], B = items[5:8]), function(mine) {
    own <- sum(std$est.std[std$lhs %in% c("A", "B") & std$rhs %in% mine])^2
    method <- sum(std$est.std[std$lhs == "M" & std$rhs %in% mine])^2
    c(own, method) / (own + method + sum(std$est.std[std$op == "~~" & std$lhs %in% mine]))
  })
  difference <- function(a, b) unlist(lavTestLRT(fits[[a]], fits[[b]])[2, c("Chisq diff", "Df diff", "Pr(>Chisq)")], use.names = FALSE)
  list(fits = lapply(fits, function(f) as.list(fitMeasures(f)[intersect(measures, names(fitMeasures(f)))])),
       correlations = lapply(fits, function(f) subset(standardizedSolution(f), lhs == "A" & rhs == "B")$est.std),
       differences = list("Method-C" = difference("Baseline", "Method-C"), "Method-U" = difference("Method-C", "Method-U"),
                          "Method-R" = difference("Method-C", "Method-R")),
       substantive = omega[1, ], method = omega[2, ])
}
wording <- function(data, ...) {
  plain <- cfa(model, data, std.lv = TRUE, ...)
  more <- cfa(paste0(model, "\na3 ~~ a4 + b4\na4 ~~ b4"), data, std.lv = TRUE, ...)
  unlist(lavTestLRT(plain, more)[2, c("Chisq diff", "Df diff", "Pr(>Chisq)")], use.names = FALSE)
}
found <- list(lavaan = as.character(packageVersion("lavaan")), continuous = sequence(rows), robust = sequence(rows, estimator = "MLR"),
              ordinal = sequence(four, ordered = TRUE, estimator = "WLSMV"),
              wording = list(continuous = wording(rows), ordinal = wording(four, ordered = TRUE, estimator = "WLSMV")))
cat(toJSON(found, auto_unbox = TRUE, digits = 10, pretty = TRUE))
