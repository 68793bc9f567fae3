# Numbers of glmnet_poisson_references.json. First, in Python, from tests/:
#     import numpy as np; from support.reference_data import COUNTS
#     for name, recipe in COUNTS.items():
#         X, y, offset = recipe()
#         np.savetxt(f"{name}.csv", np.column_stack([offset, y, X]), fmt="%.17g", delimiter=",")
# then, beside the CSV files, Rscript glmnet_poisson.R > glmnet_poisson_references.json
suppressMessages({library(glmnet); library(Matrix)})
number <- function(x) paste(formatC(x, digits = 17, format = "g"), collapse = ", ")
SHARES <- c(0.5, 0.2, 0.05, 0.01)
cat(sprintf('{"_about": {"program": "glmnet %s, %s", "call": "poisson, standardize=FALSE, thresh=1e-20",\n',
            packageVersion("glmnet"), R.version.string))
cat('"weight": "1, 2, .5, 1 cycled over rows", "factor": "1, .5, 2, 0, 3 cycled over features",\n')
cat('"strengths": ".5, .2, .05, .01 times lambda_max, lambda_max being glmnet\'s own first lambda"}')
for (name in c("counts", "wide", "sparse")) {
  table <- as.matrix(read.csv(paste0(name, ".csv"), header = FALSE))
  offset <- table[, 1]; y <- table[, 2]; X <- table[, -(1:2)]; dimnames(X) <- NULL
  if (name == "sparse") X <- as(X, "dgCMatrix")
  weight <- rep_len(c(1, 2, 0.5, 1), length(y))
  factor <- rep_len(c(1, 0.5, 2, 0, 3), ncol(X))
  problems <- list(
    plain = list(), weight = list(weights = weight), offset = list(offset = offset),
    both = list(weights = weight, offset = offset),
    elastic_net = list(alpha = 0.5, offset = offset),
    factor = list(penalty.factor = factor * ncol(X) / sum(factor), offset = offset),
    nonneg = list(lower.limits = 0, weights = weight, offset = offset))
  if (name == "wide") problems$factor <- NULL
  cat(sprintf(',\n"%s": {', name))
  first <- TRUE
  for (problem in names(problems)) {
    given <- c(list(X, y, family = "poisson", standardize = FALSE, thresh = 1e-20, maxit = 1e7),
               problems[[problem]])
    largest <- do.call(glmnet, c(given, list(nlambda = 5)))$lambda[1]
    lambda <- exp(seq(log(largest), log(0.01 * largest), length.out = 30))
    lambda <- sort(unique(c(lambda, SHARES * largest)), decreasing = TRUE)
    fit <- do.call(glmnet, c(given, list(lambda = lambda)))
    cat(sprintf('%s\n"%s": {"lambda_max": %s, "fits": [', if (first) "" else ",", problem, number(largest)))
    first <- FALSE
    for (k in seq_along(SHARES)) {
      at <- which.min(abs(fit$lambda - SHARES[k] * largest))
      coef <- as.numeric(fit$beta[, at])
      inside <- which(coef != 0)
      cat(sprintf('%s{"lambda": %s, "intercept": %s, "features": [%s], "coef": [%s]}',
                  if (k == 1) "" else ",\n ", number(fit$lambda[at]), number(fit$a0[at]),
                  paste(inside - 1, collapse = ", "), number(coef[inside])))
    }
    cat("]}")
  }
  cat("}")
}
cat("}\n")
