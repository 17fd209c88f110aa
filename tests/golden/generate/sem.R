# How values/sem.json was made: lavaan 0.7-2.3170 on R 4.2.2, one call per case of the file.
#   Rscript sem.R CASES.json DATA_FOLDER OUT.json
# CASES.json is values/sem.json with or without its "expected" parts: id, function_name, model, data, args.
library(lavaan)
library(jsonlite)
arguments <- commandArgs(TRUE)
cases <- fromJSON(arguments[1], simplifyVector = FALSE)$cases
run <- function(case) {
  given <- case$args
  names(given) <- chartr("_", ".", names(given))
  if (!is.null(given$group.equal)) given$group.equal <- unlist(given$group.equal)
  if (!is.null(given$group.partial)) given$group.partial <- unlist(given$group.partial)
  if (!is.null(given$ordered) && is.list(given$ordered)) given$ordered <- unlist(given$ordered)
  if (!is.null(case$data)) given$data <- read.csv(file.path(arguments[2], case$data))
  fit <- do.call(case$function_name, c(list(model = case$model, bad.marker.crit = 0), given))
  list(
    id = case$id,
    fit_measures = as.list(fitMeasures(fit)),
    parameters = parameterEstimates(fit, standardized = TRUE, rsquare = FALSE),
    rsquare = as.list(inspect(fit, "rsquare")),
    modification_indices = head(modindices(fit, sort. = TRUE), 8)
  )
}
write_json(lapply(cases, run), arguments[3], digits = NA, auto_unbox = TRUE)
