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
                         float *features, double *tokens);
int tenbin_expect(const Outlook *outlook, const float *vectors, const float *surfaces, const int64_t *places,
                  const double *read, int64_t n, double *figures, double *chances);

/* What a fit has learnt: `usual` is the share of known n-grams of a usual text (hashed.py). */
typedef struct {
    const Lexicon *lexicon;
    const Surface *surface;
    const Outlook *outlook;
    double usual;
    int64_t vector, width;
} Glance;

static double least(double a, double b) { return a < b ? a : b; }

enum { TOLD = 7, COUNTED = TOLD, PLACES, ASKED = PLACES + 2 }; /* glance.py: what is asked beside the texts */
enum { TEXT_TOKENS, COUNTED_TOKENS, FAMILIARITY, NEW_SHARE, READ };

/* What is `asked` [n, ASKED] as the other functions take it: `told` [n, TOLD], a row of what is read [READ, n], `places`. */
static void part(const double *asked, int64_t n, double *told, double *read, int64_t *places) {
    for (int64_t i = 0; i < n; i++, asked += ASKED) {
        memcpy(told + i * TOLD, asked, TOLD * sizeof *told);
        read[COUNTED_TOKENS * n + i] = asked[COUNTED];
        for (int k = 0; k < 2; k++) places[2 * i + k] = (int64_t)asked[PLACES + k];
    }
}

/* The texts are, of n / 3 queries each: what is embedded and what is read of them, both plain, and all of them. `asked`
 * [n / 3, ASKED] is what is told as in `tenbin_count_surface`, input tokens that somebody has counted, or no number, and the
 * places as in `tenbin_expect`, as is what is written.
 */
int tenbin_glance(const Glance *glance, const uint32_t *codes, const int64_t *bounds, int64_t n, const double *asked,
                  double *figures, double *chances) {
    int64_t queries = n / 3;
    double *read = malloc((size_t)((READ + TOLD) * queries + 1) * sizeof *read);
    float *vectors = malloc((size_t)(queries * (glance->vector + glance->width) + 1) * sizeof *vectors);
    int64_t *places = malloc((size_t)(2 * queries + 1) * sizeof *places);
    int fault = read && vectors && places ? 0 : -1;
    if (!fault) {
        float *surfaces = vectors + queries * glance->vector;
        double *told = read + READ * queries;
        part(asked, queries, told, read, places);
        double *familiar = read + FAMILIARITY * queries, *novel = read + NEW_SHARE * queries;
        fault = tenbin_read_texts(glance->lexicon, codes, bounds, queries, vectors, familiar, novel);
        for (int64_t i = 0; i < queries; i++) familiar[i] = least(familiar[i] / glance->usual, 1.0);
        if (!fault)
            fault = tenbin_count_surface(glance->surface, codes, bounds + queries, 2 * queries, told, surfaces, read);
        if (!fault)
            fault = tenbin_expect(glance->outlook, vectors, surfaces, places, read, queries, figures, chances);
    }
    free(read), free(vectors), free(places);
    return fault;
}
