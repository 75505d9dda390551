/* The scales: dollars, losses and the order of all candidates, of what is expected of them. Some twenty operations on a row
 * of numbers, which take NumPy longer than all of them here.
 *
 * The same stands in Python in rates.py, risk.py and weighing.py, which serve where this file was not compiled; both give
 * the same bits. Nothing is kept between calls; whatever is written belongs to the caller or is freed before the end.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum { QUALITY, QUALITY_SD, GAP_SD, INPUT_TOKENS, OUTPUT_TOKENS, COST, LATENCY, LOSS }; /* weighing.py: FIGURES */
enum { INPUT_RATE, CACHED_RATE, ANSWER_RATE = 3 };                                        /* rates.py */
enum { MU, W, CAUTION, MINIMAX, CAP, ANSWERS, DIALS };                                    /* scales.py: Dials */

/* The prices of the candidates, what the reference takes, and where names stand; the arrays are the caller's. */
typedef struct {
    const double *below, *beyond;  /* [rates, candidates] up to `above` tokens of input, and beyond */
    const double *above, *request; /* [candidates] */
    const double *caps;            /* [candidates] tokens that an answer has at most, infinite where there is no end */
    const int64_t *rank;           /* [candidates] */
    double tokens_per_rate, reference_usd, reference_s, credible_sd, steps;
    int64_t candidates;
} Scales;

typedef struct {
    double steps, dollars;
    int64_t rank, candidate;
} Weight;

/* Dollars of one call; `cached` is NULL where no candidate holds any of the input. */
static double dollars_of(const Scales *scales, int64_t m, double input, double output, const double *cached) {
    const double *rates = (input > scales->above[m] ? scales->beyond : scales->below) + m;
    double bill = input * rates[INPUT_RATE * scales->candidates];
    if (cached) {
        double held = *cached > input ? input : *cached, plain = input - held;
        bill = (plain < 0.0 ? 0.0 : plain) * rates[INPUT_RATE * scales->candidates];
        bill += held * rates[CACHED_RATE * scales->candidates];
    }
    bill += output * rates[ANSWER_RATE * scales->candidates];
    return bill / scales->tokens_per_rate + scales->request[m];
}

/* What one candidate weighs; `own` are its figures, `plane` numbers apart. */
static double loss_of(const Scales *scales, const double *dials, const double *own, int64_t plane) {
    double quality = own[QUALITY * plane], mu = dials[MU], w = dials[W];
    double burden = own[COST * plane] / scales->reference_usd;
    if (dials[MINIMAX] != 0.0) {
        quality -= scales->credible_sd * own[QUALITY_SD * plane];
        quality = quality < 0.0 ? 0.0 : quality;
    } else if (dials[CAUTION] != 0.0) {
        quality -= dials[CAUTION] * own[GAP_SD * plane];
    }
    if (w > 0.0) burden = (1.0 - w) * burden + w * (own[LATENCY * plane] / scales->reference_s);
    return (1.0 - mu) * (1.0 - quality) + mu * burden;
}

/* What is no number comes last. */
static int compared(double a, double b) {
    if (isnan(a) || isnan(b)) return (isnan(a) != 0) - (isnan(b) != 0);
    return (a > b) - (a < b);
}

static int by_weight(const void *one, const void *other) {
    const Weight *a = one, *b = other;
    int found = compared(a->steps, b->steps);
    if (!found) found = compared(a->dollars, b->dollars);
    return found ? found : (a->rank > b->rank) - (a->rank < b->rank);
}

/* Of n requests `dials` [n, DIALS] and `figures` [LOSS + 1, n, candidates] are given, but for dollars and losses, which are
 * written; output tokens are lowered to what all answers may have, and `cached` [n, candidates] tokens of the input are
 * billed as such (NULL: none are). `order` [n, candidates] is from the least loss on. 0, or -1 where there is no memory.
 */
int tenbin_weigh(const Scales *scales, const double *dials, const double *cached, int64_t n, double *figures,
                 int64_t *order) {
    int64_t count = scales->candidates, plane = n * count;
    Weight *weights = malloc((size_t)(count + 1) * sizeof *weights);
    if (!weights) return -1;
    for (int64_t row = 0; row < n; row++, dials += DIALS) {
        for (int64_t m = 0, at = row * count; m < count; m++, at++) {
            double *own = figures + at, *output = own + OUTPUT_TOKENS * plane;
            double cap = (dials[CAP] < scales->caps[m] ? dials[CAP] : scales->caps[m]) * dials[ANSWERS];
            if (*output > cap) *output = cap;
            own[COST * plane] = dollars_of(scales, m, own[INPUT_TOKENS * plane], *output, cached ? cached + at : NULL);
            own[LOSS * plane] = loss_of(scales, dials, own, plane);
            weights[m] = (Weight){rint(own[LOSS * plane] * scales->steps), own[COST * plane], scales->rank[m], m};
        }
        qsort(weights, (size_t)count, sizeof *weights, by_weight);
        for (int64_t m = 0; m < count; m++) order[row * count + m] = weights[m].candidate;
    }
    free(weights);
    return 0;
}
