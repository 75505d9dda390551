/* What features say of every candidate, by what stacks make of them (sight.c): quality and how sure it is, tokens, dollars,
 * seconds; and how like the training prompts each text is. A few operations on a row of numbers each, which take NumPy
 * longer than the look.
 *
 * The same stands in Python in estimator.py and what it calls, which serve where this file was not compiled; results
 * differ by rounding alone. Nothing is kept between calls; whatever is written belongs to the caller or is freed before
 * the end.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum { QUALITY, QUALITY_SD, GAP_SD, INPUT_TOKENS, OF_HEADS, HEADS = 3 }; /* outlook.py: output tokens, dollars, seconds */
enum { TEXT_TOKENS, COUNTED_TOKENS, FAMILIARITY, NEW_SHARE };
enum { LIKENESS, NOVELTY };

typedef struct Sight Sight;
int tenbin_see(const Sight *sight, double *seen, int64_t n, double *sums, double *variances);

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
    const Sight *sight;
    const double *centre, *width; /* [vector + surface]: design.py */
    Line map, unknown, deviation, oddness;
    double largest_surface, least_slope, material_sd, material_share, least_scatter;
    const double *usual;  /* [2, vector]: novelty.py */
    double constants[2];
    const double *guess, *share; /* [vector + surface, groups], [groups]: design.py */
    double group_scale;
    Head heads[HEADS];
    const double *means, *correlation; /* [candidates] */
    const double *rate;                /* [candidates], NULL where no input tokens are predicted */
    const double *offsets;             /* [places, candidates], NULL likewise */
    int64_t vector, surface, groups, seen, sums, candidates, reference;
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

/* The p-value of having no more new words than training prompts of the same kind (novelty.py). */
static double novelty_of(const Outlook *outlook, double share, const float *vector) {
    double expected = 0.0, scatter = 0.0;
    for (int64_t i = 0; i < outlook->vector; i++) {
        expected += (double)vector[i] * outlook->usual[i];
        scatter += (double)vector[i] * outlook->usual[outlook->vector + i];
    }
    double beyond = share - (expected + outlook->constants[0]);
    scatter += outlook->constants[1];
    scatter = scatter < outlook->least_scatter ? outlook->least_scatter : scatter;
    return level_at(&outlook->oddness, (beyond >= outlook->material_share ? beyond : 0.0) / scatter);
}

/* The group that a text speaks for, given its `width` columns; `foretold` [groups] is written over. Column by column: groups
 * side by side are added up in less than half the time that those of one take after each other, to the same bits.
 */
static int64_t group_of(const Outlook *outlook, const double *columns, int64_t width, double *foretold) {
    int64_t best = 0, groups = outlook->groups;
    double most = -INFINITY;
    for (int64_t group = 0; group < groups; group++) foretold[group] = 0.0;
    for (int64_t i = 0; i < width; i++)
        for (int64_t group = 0; group < groups; group++) foretold[group] += columns[i] * outlook->guess[i * groups + group];
    for (int64_t group = 0; group < groups; group++) {
        double of_group = foretold[group] / outlook->group_scale + outlook->share[group];
        if (of_group > most) most = of_group, best = group;
    }
    return best;
}

/* The columns of one row (design.py), of this group from 0 on, or of none that is known. */
static void make_columns(const Outlook *outlook, const float *vector, const float *surface, int64_t group, double *columns) {
    int64_t d = outlook->vector, s = outlook->surface;
    double bound = outlook->largest_surface;
    for (int64_t i = 0; i < d; i++) columns[i] = ((double)vector[i] - outlook->centre[i]) * outlook->width[i];
    for (int64_t i = 0; i < s; i++)
        columns[d + i] = between(((double)surface[i] - outlook->centre[d + i]) * outlook->width[d + i], -bound, bound);
    if (!outlook->groups) return;
    if (group < 0) group = group_of(outlook, columns, d + s, columns + d + s);
    for (int64_t i = 0; i < outlook->groups; i++) columns[d + s + i] = -outlook->group_scale * outlook->share[i];
    columns[d + s + group] += outlook->group_scale;
}

/* `sums` [n, stacks, candidates] are of the quality's stack and of every head there is, `variance` [n, candidates] of the
 * former; the rest as in `tenbin_expect`.
 */
static void expect(const Outlook *outlook, const double *sums, const double *variance, const double *read,
                   const int64_t *places, int64_t n, double *figures, double *likeness) {
    int64_t count = outlook->candidates, plane = n * count;
    for (int64_t row = 0; row < n; row++) {
        double *own = figures + row * count, *sd = own + QUALITY_SD * plane;
        int64_t offset = places[2 * row + 1] * count;
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
                tokens = read[TEXT_TOKENS * n + row] * outlook->rate[m] + outlook->offsets[offset + m];
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
}

/* Given are vectors [n, vector] and surfaces [n, surface], the `places` [n, 2] of each query's group, or -1, and of
 * what is added to its input tokens, and what was `read` of the texts [4, n]. Written are the figures
 * [OF_HEADS + HEADS, n, candidates] and two p-values [2, n]: of being like the training prompts, and of having no more new
 * words. 0, or -1 where there is no memory.
 */
int tenbin_expect(const Outlook *outlook, const float *vectors, const float *surfaces, const int64_t *places,
                  const double *read, int64_t n, double *figures, double *chances) {
    int64_t seen = outlook->seen, sums = outlook->sums;
    double *room = malloc((size_t)(n * (seen + sums + outlook->candidates) + 1) * sizeof *room);
    if (!room) return -1;
    double *of_stacks = room + n * seen, *variances = of_stacks + n * sums;
    for (int64_t row = 0; row < n; row++) {
        const float *vector = vectors + row * outlook->vector, *surface = surfaces + row * outlook->surface;
        make_columns(outlook, vector, surface, places[2 * row], room + row * seen);
        chances[NOVELTY * n + row] = novelty_of(outlook, read[NEW_SHARE * n + row], vector);
    }
    int fault = tenbin_see(outlook->sight, room, n, of_stacks, variances);
    if (!fault) expect(outlook, of_stacks, variances, read, places, n, figures, chances + LIKENESS * n);
    free(room);
    return fault;
}
