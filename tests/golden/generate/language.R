# Fits the models of tests/golden/values/language.json by lavaan and writes what it finds beside them
# (run from the repository root; lavaan 0.6-14, R 4.2.2). An outcome is an error of lavaan, or chi-square, degrees of
# freedom, number of free parameters, and the estimates as "lhs op rhs group estimate".
suppressMessages({library(lavaan); library(jsonlite)})
path <- "tests/golden/values/language.json"
cases <- fromJSON(path, simplifyVector = FALSE)
for (name in names(cases)) {
  case <- cases[[name]]
  data <- read.csv(paste0("tests/golden/data/", case$data, ".csv"))
  for (column in names(case$columns)) data[[column]] <- data[[case$columns[[column]]]]
  options <- lapply(case$options, function(value) unlist(value))
  names(options) <- gsub("_", ".", names(options))
  outcome <- tryCatch({
    fit <- suppressWarnings(do.call(case$call, c(list(case$model, data), options)))
    table <- parTable(fit)
    table <- table[!table$op %in% c("==", "<", ">"), ]
    if (is.character(table$group)) {
      number <- match(table$group, setdiff(unique(table$group), c("", "0")))
      table$group <- ifelse(is.na(number), 0, number)
    }
    measures <- fitMeasures(fit, c("chisq", "df", "npar"))
    list(converged = lavInspect(fit, "converged"), chisq = measures[[1]], df = measures[[2]], npar = measures[[3]],
         rows = I(gsub(" +", " ", with(table, paste(lhs, op, rhs, group, formatC(est, digits = 10, format = "g"))))))
  }, error = function(e) list(error = gsub("\\s+", " ", conditionMessage(e))))
  cases[[name]]$outcome <- outcome
}
writeLines(toJSON(cases, auto_unbox = TRUE, pretty = TRUE, digits = 12, null = "null"), path)
