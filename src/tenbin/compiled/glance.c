/* From texts to what is expected of every candidate: kernel.c, tally.c and outlook.c in one call, for one text or a few.
 *
 * Nothing is kept between calls; whatever is written belongs to the caller or is freed before the end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct Lexicon Lexicon;
typedef struct Surface Surface;
typedef struct Outlook Outlook;
int tenbin_read_texts(const Lexicon *lexicon, const uint32_t *codes, const int64_t *bounds, int64_t n, float *vectors,
                      double *familiar, double *novel);
int tenbin_count_surface(const Surface *surface, const uint32_t *codes, const int64_t *bounds, int64_t n, const double *told,
                         const double *scale, float *features, double *tokens);
int tenbin_expect(const Outlook *outlook, const float *vectors, const float *surfaces, const int64_t *members,
                  const double *read, const double *offset, int64_t n, double *figures, double *chances);

/* What a fit has learnt: `usual` is the share of known n-grams of a usual text (hashed.py). */
typedef struct {
    const Lexicon *lexicon;
    const Surface *surface;
    const Outlook *outlook;
    double usual;
    int64_t vector, width;
} Glance;

static double least(double a, double b) { return a < b ? a : b; }

/* The texts are, of n / 3 queries each: what is embedded and what is read of them, both plain, and all of them. `told`,
 * `scale` are as in `tenbin_count_surface`, `members`, `offset` and what is written as in `tenbin_expect`; `counted` [n / 3]
 * are input tokens that somebody has counted, or no number.
 */
int tenbin_glance(const Glance *glance, const uint32_t *codes, const int64_t *bounds, int64_t n, const double *told,
                  const double *scale, const double *counted, const int64_t *members, const double *offset,
                  double *figures, double *chances) {
    int64_t queries = n / 3;
    double *read = malloc((size_t)(4 * queries + 1) * sizeof *read);
    float *vectors = malloc((size_t)(queries * (glance->vector + glance->width) + 1) * sizeof *vectors);
    int fault = read && vectors ? 0 : -1;
    if (!fault) {
        float *surfaces = vectors + queries * glance->vector;
        double *familiar = read + 2 * queries;
        fault = tenbin_read_texts(glance->lexicon, codes, bounds, queries, vectors, familiar, read + 3 * queries);
        for (int64_t i = 0; i < queries; i++) familiar[i] = least(familiar[i] / glance->usual, 1.0);
        memcpy(read + queries, counted, (size_t)queries * sizeof *read);
        if (!fault)
            fault = tenbin_count_surface(glance->surface, codes, bounds + queries, 2 * queries, told, scale, surfaces, read);
        if (!fault)
            fault = tenbin_expect(glance->outlook, vectors, surfaces, members, read, offset, queries, figures, chances);
    }
    free(read), free(vectors);
    return fault;
}
