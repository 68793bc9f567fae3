# Numbers of glmnet_classes_references.json. First, in Python, from tests/:
#     import numpy as np; from support.reference_data import CLASSES
#     for name, recipe in CLASSES.items():
#         X, y = recipe()
#         np.savetxt(f"{name}.csv", np.column_stack([y, X]), fmt="%.17g", delimiter=",")
# then, beside the CSV files, Rscript glmnet_classes.R > glmnet_classes_references.json
suppressMessages(library(glmnet))
number <- function(x) paste(formatC(x, digits = 17, format = "g"), collapse = ", ")
SHARES <- c(0.5, 0.2, 0.05)
cat(sprintf('{"_about": {"program": "glmnet %s, %s", "call": "standardize=FALSE, thresh=1e-16",\n',
            packageVersion("glmnet"), R.version.string))
cat('"weight": "1, 2, .5, 1 cycled over rows", "strengths": ".5, .2, .05 times glmnet\'s own first lambda",\n')
cat('"coef": "feature by feature, for three classes one number a class"}')
for (name in c("two", "wide", "three")) {
  table <- as.matrix(read.csv(paste0(name, ".csv"), header = FALSE))
  y <- table[, 1]; X <- table[, -1]; dimnames(X) <- NULL
  weight <- rep_len(c(1, 2, 0.5, 1), length(y))
  problems <- list(plain = list(), weight = list(weights = weight), elastic_net = list(alpha = 0.5))
  family <- if (name == "three") "multinomial" else "binomial"
  if (name == "three") problems$grouped <- list(type.multinomial = "grouped")
  cat(sprintf(',\n"%s": {', name))
  first <- TRUE
  for (problem in names(problems)) {
    given <- c(list(X, factor(y), family = family, standardize = FALSE, thresh = 1e-16, maxit = 1e8),
               problems[[problem]])
    largest <- do.call(glmnet, c(given, list(nlambda = 5)))$lambda[1]
    lambda <- exp(seq(log(largest), log(0.05 * largest), length.out = 30))
    lambda <- sort(unique(c(lambda, SHARES * largest)), decreasing = TRUE)
    fit <- do.call(glmnet, c(given, list(lambda = lambda)))
    cat(sprintf('%s\n"%s": {"lambda_max": %s, "fits": [', if (first) "" else ",", problem, number(largest)))
    first <- FALSE
    for (k in seq_along(SHARES)) {
      at <- which.min(abs(fit$lambda - SHARES[k] * largest))
      coef <- if (name == "three") sapply(fit$beta, function(b) b[, at]) else matrix(fit$beta[, at], ncol = 1)
      cat(sprintf('%s{"lambda": %s, "coef": [%s]}', if (k == 1) "" else ",\n ",
                  number(fit$lambda[at]), number(as.numeric(t(coef)))))
    }
    cat("]}")
  }
  cat("}")
}
cat("}\n")
