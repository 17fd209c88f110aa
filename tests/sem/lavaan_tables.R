# Writes lavaan's own parameter tables for the models of lavaan_tables.json (run from the repository root; lavaan 0.6-14).
# A row is "lhs op rhs group state"; the state is "free", "exogenous", "fixed <value>" or "as <earlier row's parameter>".
suppressMessages({library(lavaan); library(jsonlite)})
data <- read.csv("tests/golden/data/holzinger.csv")
cases <- fromJSON("tests/sem/lavaan_tables.json", simplifyVector = FALSE)
for (name in names(cases)) {
  case <- cases[[name]]
  options <- lapply(case$options, function(value) unlist(value))
  names(options) <- gsub("_", ".", names(options))
  fit <- suppressWarnings(do.call(case$call, c(list(case$model, data, do.fit = FALSE), options)))
  table <- parTable(fit)
  equal <- table[table$op == "==", ]
  table <- table[table$op != "==", ]
  twin <- setNames(equal$lhs, equal$rhs)
  state <- with(table, ifelse(exo > 0, "exogenous", ifelse(free > 0, "free", paste("fixed", ustart))))
  tied <- table$plabel %in% names(twin) & state == "free"
  first <- table[match(twin[table$plabel[tied]], table$plabel), ]
  state[tied] <- trimws(paste("as", first$lhs, first$op, first$rhs, first$group))
  cases[[name]]$rows <- I(gsub(" +", " ", with(table, paste(lhs, op, rhs, pmax(1, group), state))))
}
writeLines(toJSON(cases, auto_unbox = TRUE, pretty = TRUE, null = "null"), "tests/sem/lavaan_tables.json")
