# Invariance over groups with semTools::measEq.syntax and lavaan, for data/groups.csv (simulated: three factors, three
# items each, of 2, 5 and 25 groups). Usage, in tests/golden: Rscript generate/groups.R > values/groups.json
suppressMessages({library(lavaan); library(semTools); library(jsonlite)})
rows <- read.csv("data/groups.csv")
items <- c("x1", "x2", "x3", "y1", "y2", "y3", "z1", "z2", "z3")
model <- "a =~ x1 + x2 + x3\nb =~ y1 + y2 + y3\nc =~ z1 + z2 + z3"
gaps <- rows
gaps[seq_len(nrow(gaps)) %% 7 == 0, c("x2", "y1")] <- NA
gaps[seq_len(nrow(gaps)) %% 4 == 0, "z3"] <- NA
coded <- function(cuts) {
  answers <- lapply(rows[items], function(x) 1 + rowSums(outer(x, cuts, ">")))
  cbind(as.data.frame(answers), rows[c("g2", "g5", "g25")])
}
five <- coded(c(-1.2, -0.3, 0.5, 1.4))
three <- coded(c(-0.4, 0.9))
two <- coded(0.2)
mixed <- cbind(five[c("x1", "x2", "x3")], three[c("y1", "y2", "y3")], two[c("z1", "z2", "z3")], rows[c("g2", "g5", "g25")])
measures <- c("chisq", "df", "pvalue", "chisq.scaled", "cfi", "tli", "rmsea", "srmr", "npar", "cfi.robust", "rmsea.robust", "cfi.scaled")

one <- function(data, group, equal, partial = "", ...) {
  fit <- measEq.syntax(configural.model = model, data = data, ID.fac = "std.lv", ID.cat = "Wu.Estabrook.2016",
                       group = group, group.equal = equal, group.partial = partial, auto = "all",
                       return.fit = TRUE, ...)
  taken(fit)
}
taken <- function(fit) {
  found <- fitMeasures(fit)
  latent <- subset(parameterEstimates(fit), op == "~1" & lhs %in% c("a", "b", "c") & group > 1)
  list(measures = as.list(found[intersect(measures, names(found))]),
       means = latent[c("lhs", "group", "est", "se")], fit = fit)
}
difference <- function(before, after) {
  as.list(lavTestLRT(before, after)[2, c("Chisq diff", "Df diff", "Pr(>Chisq)")])
}
ladder <- function(fits) {
  tests <- lapply(seq_along(fits)[-1], function(i) {
    if (fitMeasures(fits[[i]]$fit, "df") == fitMeasures(fits[[i - 1]]$fit, "df")) return(NULL)
    difference(fits[[i - 1]]$fit, fits[[i]]$fit)
  })
  list(steps = lapply(fits, function(f) f[c("measures", "means")]), tests = tests)
}
climb <- function(data, group, steps, ...) ladder(lapply(steps, function(equal) one(data, group, equal, ...)))
# 25 groups by lavaan's own group.equal: the search of semTools for what to free takes minutes there.
many <- function(steps) ladder(lapply(steps, function(equal)
  taken(cfa(model, rows, group = "g25", group.equal = equal, std.lv = TRUE, meanstructure = TRUE))))

continuous <- list("", "loadings", c("loadings", "intercepts"), c("loadings", "intercepts", "residuals"),
                   c("loadings", "intercepts", "residuals", "lv.variances"),
                   c("loadings", "intercepts", "residuals", "lv.variances", "lv.covariances"),
                   c("loadings", "intercepts", "residuals", "lv.variances", "lv.covariances", "means"))
categorical <- list("", "thresholds", c("thresholds", "loadings"), c("thresholds", "loadings", "intercepts"))
strict <- c(categorical, list(c("thresholds", "loadings", "intercepts", "residuals")))
# measEq.syntax 0.5-6 stops on the delta parameterization of groups; fits of both are the same, the metric of residuals apart.
answered <- function(data, group, steps) {
  climb(data, group, steps, ordered = items, estimator = "WLSMV", parameterization = "theta")
}

# Second order: the means of the first-order factors become free with equal intercepts, that of the second order is 0.
second <- paste(model, "P =~ a + b + c", sep = "\n")
higher <- function(equal, means) {
  extra <- if (means) "\na ~ c(0, NA)*1\nb ~ c(0, NA)*1\nc ~ c(0, NA)*1\nP ~ c(0, 0)*1" else ""
  taken(cfa(paste0(second, extra), rows, group = "g2", group.equal = equal, meanstructure = TRUE))
}

# dMACS (Nye & Drasgow, 2011, eq. 3) by numerical integration at the estimates of a partial scalar model.
free <- c("x2 ~ 1", "b =~ y2", "y2 ~ 1")
fit <- cfa(model, rows, group = "g2", std.lv = TRUE, group.equal = c("loadings", "intercepts"), group.partial = free)
dmacs <- function(factor, item) {
  g <- lavInspect(fit, "est")
  spread <- tapply(rows[[item]], rows$g2, var)[lavInspect(fit, "group.label")]
  n <- lavInspect(fit, "nobs")
  pooled <- sqrt(sum((n - 1) * spread) / (sum(n) - 2))
  gap <- function(eta) (g[[2]]$nu[item, 1] - g[[1]]$nu[item, 1] + (g[[2]]$lambda[item, factor] - g[[1]]$lambda[item, factor]) * eta)^2
  m <- g[[2]]$alpha[factor, 1]; s <- sqrt(g[[2]]$psi[factor, factor])
  sqrt(integrate(function(eta) gap(eta) * dnorm(eta, m, s), m - 12 * s, m + 12 * s, rel.tol = 1e-10)$value) / pooled
}

found <- list(
  lavaan = as.character(packageVersion("lavaan")), semTools = as.character(packageVersion("semTools")),
  ML2 = climb(rows, "g2", continuous), ML5 = climb(rows, "g5", continuous), ML25 = many(continuous[1:3]),
  MLR2 = climb(rows, "g2", continuous, estimator = "MLR"), MLR5 = climb(rows, "g5", continuous[1:4], estimator = "MLR"),
  MLM2 = climb(rows, "g2", continuous[1:4], estimator = "MLM"),
  FIML2 = climb(gaps, "g2", continuous, missing = "fiml"),
  FIMLR5 = climb(gaps, "g5", continuous[1:4], missing = "fiml", estimator = "MLR"),
  theta5 = answered(five, "g2", strict), theta3 = answered(three, "g2", strict), theta2 = answered(two, "g2", strict[c(1, 3, 4, 5)]),
  thetamixed = answered(mixed, "g2", strict), theta5groups5 = answered(five, "g5", categorical),
  second = ladder(list(higher("", FALSE), higher("loadings", FALSE), higher(c("loadings", "intercepts"), TRUE),
                       higher(c("loadings", "intercepts", "residuals"), TRUE))),
  partial = c(taken(fit)[c("measures", "means")], list(dmacs = list(x2 = dmacs("a", "x2"), y2 = dmacs("b", "y2"), x3 = dmacs("a", "x3")))))
cat(toJSON(found, auto_unbox = TRUE, digits = 10, pretty = TRUE, na = "null"))
