# Invariance over waves with semTools::measEq.syntax, for data/panel.csv (simulated: two factors, three items each, three
# waves). Usage, in tests/golden: Rscript generate/longitudinal.R > values/longitudinal.json
suppressMessages({library(lavaan); library(semTools); library(jsonlite)})
panel <- read.csv("data/panel.csv")
model <- paste(sapply(1:3, function(t) sprintf("a%d =~ x1_t%d + x2_t%d + x3_t%d\nb%d =~ y1_t%d + y2_t%d + y3_t%d",
                                                t, t, t, t, t, t, t, t)), collapse = "\n")
factors <- list(a = paste0("a", 1:3), b = paste0("b", 1:3))
items <- sapply(c("x1", "x2", "x3", "y1", "y2", "y3"), function(i) paste0(i, "_t", 1:3), simplify = FALSE)
gaps <- panel
gaps[seq_len(nrow(gaps)) %% 7 == 0, grep("_t2$", names(gaps))] <- NA
gaps[seq_len(nrow(gaps)) %% 4 == 0, grep("_t3$", names(gaps))] <- NA
ordinal <- as.data.frame(lapply(panel, function(x) 1 + (x > -0.7) + (x > 0.2) + (x > 1.1)))
measures <- c("chisq", "df", "chisq.scaled", "cfi", "rmsea", "srmr", "npar")

one <- function(data, equal, ...) {
  fit <- measEq.syntax(configural.model = model, data = data, ID.fac = "std.lv", ID.cat = "Wu.Estabrook.2016",
                       longFacNames = factors, longIndNames = items, long.equal = equal, auto = "all",
                       return.fit = TRUE, ...)
  found <- fitMeasures(fit)
  latent <- subset(parameterEstimates(fit), op == "~1" & lhs %in% unlist(factors))
  list(measures = as.list(found[intersect(measures, names(found))]), means = setNames(as.list(latent$est), latent$lhs),
       errors = setNames(as.list(latent$se), latent$lhs), fit = fit)
}

ladder <- function(data, steps, ...) {
  fits <- lapply(steps, function(equal) one(data, equal, ...))
  tests <- lapply(seq_along(fits)[-1], function(i) as.list(lavTestLRT(fits[[i - 1]]$fit, fits[[i]]$fit)[2, c("Chisq diff", "Df diff")]))
  list(steps = lapply(fits, function(f) f[c("measures", "means", "errors")]), tests = tests)
}

continuous <- list("", "loadings", c("loadings", "intercepts"), c("loadings", "intercepts", "residuals"),
                   c("loadings", "intercepts", "residuals", "lv.variances"),
                   c("loadings", "intercepts", "residuals", "lv.variances", "means"))
categorical <- list("", "thresholds", c("thresholds", "loadings"), c("thresholds", "loadings", "intercepts"))
found <- list(
  lavaan = as.character(packageVersion("lavaan")), semTools = as.character(packageVersion("semTools")),
  ML = ladder(panel, continuous),
  MLR = ladder(panel, continuous[1:3], estimator = "MLR"),
  FIML = ladder(gaps, continuous[1:4], missing = "fiml"),
  delta = ladder(ordinal, categorical, ordered = names(ordinal), estimator = "WLSMV", parameterization = "delta"),
  theta = ladder(ordinal, c(categorical, list(c("thresholds", "loadings", "intercepts", "residuals"))),
                 ordered = names(ordinal), estimator = "WLSMV", parameterization = "theta"))
cat(toJSON(found, auto_unbox = TRUE, digits = 10, pretty = TRUE))
