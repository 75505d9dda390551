/* What the sums of stacks say of every candidate: quality and how sure it is, tokens, dollars, seconds; and how like the
 * training prompts each text is. A few operations on a row of candidates each, which take NumPy longer than the looks.
 *
 * The same stands in Python in estimator.py and what it calls, which serve where this file was not compiled; results
 * differ by rounding alone. Nothing is kept between calls; whatever is written belongs to the caller.
 */
#include <math.h>
#include <stdint.h>

enum { QUALITY, QUALITY_SD, GAP_SD, INPUT_TOKENS, OF_HEADS, HEADS = 3 }; /* outlook.py: output tokens, dollars, seconds */
enum { TEXT_TOKENS, COUNTED_TOKENS, FAMILIARITY };

/* Straight lines between knots, level beyond the last one, `before` below the first one. */
typedef struct {
    const double *at, *levels;
    int64_t knots;
    double before;
} Line;

/* A stack on the log scale (lengths.py); `scale` is NULL where there is none. */
typedef struct {
    const double *means, *scale; /* [candidates] */
    double least, most;
} Head;

/* What a fit has learnt; the arrays are the caller's. */
typedef struct {
    Line map, unknown, deviation;
    double least_slope, material_sd;
    Head heads[HEADS];
    const double *means, *correlation; /* [candidates] */
    const double *rate;                /* [candidates], NULL where no input tokens are predicted */
    int64_t candidates, reference;
} Outlook;

static double between(double value, double least, double most) {
    return value < least ? least : value > most ? most : value;
}

static double level_at(const Line *line, double x) {
    int64_t low = 0, high = line->knots - 1;
    if (x < line->at[0]) return line->before;
    if (x >= line->at[high]) return line->levels[high];
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (line->at[middle] <= x) low = middle;
        else high = middle;
    }
    double slope = (line->levels[high] - line->levels[low]) / (line->at[high] - line->at[low]);
    return slope * (x - line->at[low]) + line->levels[low];
}

/* Calibrated quality (calibrate.py). */
static double calibrated(const Line *map, double least_slope, double x) {
    double beyond = x - between(x, map->at[0], map->at[map->knots - 1]);
    return between(level_at(map, x) + least_slope * beyond, 0.0, 1.0);
}

/* The p-value of being like the training prompts (likeness.py). */
static double likeness_of(const Outlook *outlook, double familiarity, double sd) {
    double unknown = level_at(&outlook->unknown, 1.0 - familiarity);
    double deviation = level_at(&outlook->deviation, sd < outlook->material_sd ? outlook->material_sd : sd);
    return between(2.0 * (unknown > deviation ? deviation : unknown), 0.0, 1.0);
}

/* `sums` [n, stacks, candidates] are of the quality's stack and of every head there is, `variance` [n, candidates] of the
 * former, `read` [3, n] of the texts; `offset` [candidates] of input tokens are the same for all rows, or each row has its
 * own `stride` behind the one before. Written are the figures [OF_HEADS + HEADS, n, candidates] and the likeness [n].
 */
int tenbin_expect(const Outlook *outlook, const double *sums, const double *variance, const double *read,
                  const double *offset, int64_t stride, int64_t n, double *figures, double *likeness) {
    int64_t count = outlook->candidates, plane = n * count;
    for (int64_t row = 0; row < n; row++) {
        double *own = figures + row * count, *sd = own + QUALITY_SD * plane;
        double counted = read[COUNTED_TOKENS * n + row];
        for (int64_t m = 0; m < count; m++) {
            own[m] = calibrated(&outlook->map, outlook->least_slope, *sums++ + outlook->means[m]);
            sd[m] = sqrt(variance[row * count + m]);
        }
        for (int64_t m = 0; m < count; m++) {
            double reference = sd[outlook->reference], shared = 2.0 * outlook->correlation[m] * sd[m] * reference;
            double gap = sd[m] * sd[m] + reference * reference - shared, tokens = NAN;
            own[GAP_SD * plane + m] = sqrt(gap < 0.0 ? 0.0 : gap);
            if (outlook->rate) {
                tokens = read[TEXT_TOKENS * n + row] * outlook->rate[m] + offset[row * stride + m];
                tokens = isnan(counted) ? tokens < 1.0 ? 1.0 : tokens : counted;
            }
            own[INPUT_TOKENS * plane + m] = tokens;
        }
        for (int i = 0; i < HEADS; i++) {
            const Head *head = outlook->heads + i;
            for (int64_t m = 0; m < count; m++)
                own[(OF_HEADS + i) * plane + m] =
                    head->scale ? exp(between(*sums++ + head->means[m], head->least, head->most)) * head->scale[m] : NAN;
        }
        likeness[row] = likeness_of(outlook, read[FAMILIARITY * n + row], sd[outlook->reference]);
    }
    return 0;
}
