/* What takes longest when texts are read, compiled: hashed n-grams, weighed and projected. Texts are made normal in
 * normal.c, what is tallied is in tally.c, what is predicted in sight.c and outlook.c, all of these at once in glance.c, what is
 * weighed in scales.c; pen.c writes to files.
 *
 * The same rules stand in Python in ngrams.py, familiarity.py, lexicon.py and projection.py, which serve where this file
 * was not compiled and explain every step; both give the same bits (tests/features/test_kernel.py). Everything is counted in
 * whole numbers or in doubles one after the other, and compiled without contraction, so that no processor rounds
 * otherwise. Nothing is kept between calls; whatever is written belongs to the caller or is freed before the end.
 *
 * Texts come as one array `codes` of characters, each text between two spaces of its own; text i is
 * [bounds[i], bounds[i + 1]) of them. All functions give 0, or -1 where there is no memory.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(TENBIN_PLAIN)
#include <immintrin.h>
#define HAS_AVX2
#define AVX2 __attribute__((target("avx2")))
#endif

/* The hash of all the files, by which it is known whether a library was compiled from them. */
const char *tenbin_source = TENBIN_SOURCE;

enum { BLANK, LETTER, DIGIT, LONE_LETTER, LONE_SIGN }; /* ngrams.py: letters are the odd ones */
enum { WORDS, CHARACTERS };

#define BASE UINT64_C(0x9E3779B97F4A7C15)
#define MIX_ADD UINT64_C(0x1234567)
#define MIX_1 UINT64_C(0xBF58476D1CE4E5B9)
#define MIX_2 UINT64_C(0x94D049BB133111EB)
#define LAST UINT64_C(0xD6E8FEB86659FD93)
#define FOLD 31
#define SHIFT (64 - 19)
#define WORD_SLOTS (1 << 19)
#define LEAST_LENGTH 1e-12
#define LEAST_OF_VECTORS 1e-9

/* What a fit has learnt, and the classes of characters; the arrays are the caller's. */
typedef struct {
    const uint8_t *folds;       /* [128]: normal.c */
    const uint8_t *classes;     /* [65536] */
    const uint16_t *rows;       /* [slots]: 0 new, 1 ... known, known + 1: seen and not projected */
    const float *idf;           /* [known] */
    const double *log_counts;   /* [counts] */
    const int8_t *directions;   /* [known, dim] */
    const float *scale;         /* [dim] */
    int64_t known, words, dim, counts;
    double text_norm, character_weight;
    int64_t ideographs_from, ideographs_to; /* beyond 65535 these are letters, all others signs */
} Lexicon;

int64_t tenbin_normal(const uint8_t *folds, const uint32_t *codes, int64_t length, uint32_t end, uint32_t *normal);

enum { AHEAD = 64 }; /* so many rows are on their way from memory while the next n-grams are hashed */
enum { AT_ONE_CHARACTER = 5 }; /* n-grams that end there: a word and a pair of words, three of characters */

typedef struct {
    uint32_t slot;
    uint8_t kind, language;
} Found;

/* What is counted in one text; `times` [known + 2] by row is all zero between texts, `met` has a bit for each row in it. */
typedef struct {
    uint32_t *times;
    uint64_t *met;
    int64_t all[2], new[2], known, language, known_language;
    Found found[AHEAD];
} Counts;

/* A word that has begun: its hash so far, the power of the next character, whether it begins with a letter. */
typedef struct {
    uint64_t hash, power;
    int open, lettered;
} Word;

static uint64_t mixed(uint32_t code) {
    uint64_t hash = (code + MIX_ADD) * MIX_1;
    hash ^= hash >> 29;
    return hash * MIX_2;
}

static int class_of(const Lexicon *lexicon, uint32_t code) {
    if (code < 0x10000) return lexicon->classes[code];
    return code >= lexicon->ideographs_from && code < lexicon->ideographs_to ? LONE_LETTER : LONE_SIGN;
}

/* Count those that wait. */
static void count_found(const Lexicon *lexicon, Counts *counts, int waiting) {
    /* Summed up here: through the pointer every count would go to memory and back, n-gram by n-gram. */
    int64_t characters = 0, new = 0, new_characters = 0, known = 0, language = 0, known_language = 0;
    for (int i = 0; i < waiting; i++) {
        Found found = counts->found[i];
        uint32_t row = lexicon->rows[found.slot];
        int is_known = row > 0 && row <= lexicon->known;
        characters += found.kind;
        new += row == 0;
        new_characters += found.kind & (row == 0);
        known += is_known;
        language += found.language;
        known_language += is_known & found.language;
        /* Of unknown ones, too: asking first would be guessed wrong for every third. */
        counts->times[row]++;
        counts->met[row >> 6] |= UINT64_C(1) << (row & 63);
    }
    counts->all[WORDS] += waiting - characters, counts->all[CHARACTERS] += characters;
    counts->new[WORDS] += new - new_characters, counts->new[CHARACTERS] += new_characters;
    counts->known += known, counts->language += language, counts->known_language += known_language;
}

/* Let one more n-gram wait; how many do now. */
static int find(const Lexicon *lexicon, Counts *counts, int waiting, uint64_t hash, int kind, int language) {
    hash ^= hash >> FOLD;
    uint32_t slot = (uint32_t)((hash * LAST) >> SHIFT) + (kind == CHARACTERS ? WORD_SLOTS : 0);
    __builtin_prefetch(lexicon->rows + slot);
    counts->found[waiting] = (Found){slot, (uint8_t)kind, (uint8_t)language};
    return waiting + 1;
}

static int end_word(const Lexicon *lexicon, Counts *counts, int waiting, Word *word, Word *before) {
    if (!word->open) return waiting;
    waiting = find(lexicon, counts, waiting, word->hash + 1, WORDS, 0);
    if (before->open) {
        uint64_t hash = before->hash * BASE + word->hash + 2;
        waiting = find(lexicon, counts, waiting, hash, WORDS, before->lettered && word->lettered);
    }
    *before = *word;
    word->open = 0;
    return waiting;
}

/* Count the n-grams of one text, which begins and ends with a space of its own. */
static void count_text(const Lexicon *lexicon, Counts *counts, const uint32_t *codes, int64_t length) {
    Word word = {0}, before = {0};
    uint64_t own, last = 0, second = 0, third = 0, fourth = 0; /* the hashes of this character and of those before it */
    int64_t letters = 0;
    int previous = BLANK, waiting = 0;
    for (int64_t i = 0; i < length; i++, fourth = third, third = second, second = last, last = own) {
        uint32_t code = codes[i];
        int class = class_of(lexicon, code);
        own = mixed(class == DIGIT ? '0' : code);
        if (class == BLANK || class != previous || class >= LONE_LETTER)
            waiting = end_word(lexicon, counts, waiting, &word, &before);
        if (class != BLANK) {
            if (!word.open) word = (Word){0, 1, 1, class & 1};
            word.hash += own * word.power;
            word.power *= BASE;
        }
        previous = class;
        letters = class & 1 ? letters + 1 : 0;
        uint64_t three = (second * BASE + last) * BASE + own, four = three + third * (BASE * BASE * BASE);
        uint64_t five = four + fourth * (BASE * BASE * BASE * BASE);
        if (i >= 2) waiting = find(lexicon, counts, waiting, three + 3, CHARACTERS, letters >= 3);
        if (i >= 3) waiting = find(lexicon, counts, waiting, four + 4, CHARACTERS, letters >= 4);
        if (i >= 4) waiting = find(lexicon, counts, waiting, five + 5, CHARACTERS, letters >= 5);
        if (waiting > AHEAD - AT_ONE_CHARACTER) {
            count_found(lexicon, counts, waiting);
            waiting = 0;
        }
    }
    count_found(lexicon, counts, waiting);
}

/* Blocks of 64 rows: those of known n-grams, the one of new ones, the one of those seen and not projected. */
static int64_t blocks_of(const Lexicon *lexicon) { return (lexicon->known + 2 + 63) / 64; }

static double share(int64_t part, int64_t whole) { return (double)part / (double)(whole > 1 ? whole : 1); }

static double most(double a, double b) { return a > b ? a : b; }

/* The known n-grams of the counts in rising order and their weights, which are whole numbers; `times` is zero again. */
static int64_t weigh(const Lexicon *lexicon, Counts *counts, int32_t *known, double *weights) {
    int64_t n = 0, words = 0, blocks = blocks_of(lexicon);
    double squares_of_words = 0, squares_of_characters = 0, norms[2], parts[2];
    for (int64_t block = 0; block < blocks; block++)
        for (uint64_t bits = counts->met[block]; bits; bits &= bits - 1) {
            int64_t index = block * 64 + __builtin_ctzll(bits) - 1, times = counts->times[index + 1];
            counts->times[index + 1] = 0;
            if (index < 0 || index >= lexicon->known) continue;
            double weight = lexicon->log_counts[times < lexicon->counts ? times : lexicon->counts - 1];
            weight *= (double)lexicon->idf[index];
            if (index < lexicon->words) squares_of_words += weight * weight, words++;
            else squares_of_characters += weight * weight;
            known[n] = (int32_t)index;
            weights[n++] = weight;
        }
    memset(counts->met, 0, (size_t)blocks * sizeof *counts->met);
    double squares[2] = {[WORDS] = squares_of_words, [CHARACTERS] = squares_of_characters};
    parts[WORDS] = squares[WORDS] > 0 ? 1.0 : 0.0;
    parts[CHARACTERS] = squares[CHARACTERS] > 0 ? lexicon->character_weight : 0.0;
    double whole = most(sqrt(parts[WORDS] * parts[WORDS] + parts[CHARACTERS] * parts[CHARACTERS]), LEAST_LENGTH);
    for (int kind = WORDS; kind <= CHARACTERS; kind++)
        norms[kind] = lexicon->text_norm * (parts[kind] / whole) / most(sqrt(squares[kind]), LEAST_LENGTH);
    for (int64_t i = 0; i < n; i++) weights[i] = (double)lrint(weights[i] * norms[i < words ? WORDS : CHARACTERS]);
    return n;
}

enum { AT_ONCE = 4, ROWS_AHEAD = 12 }; /* so many rows are summed at once, while those so far ahead come from memory */

/* The rows of n-grams i ... i + 3 and their weights; past the last one a weight of 0. */
static void rows_at(const Lexicon *lexicon, const int32_t *known, const double *weights, int64_t n, int64_t i,
                    const int8_t **rows, int16_t *factors) {
    int64_t dim = lexicon->dim;
    for (int64_t ahead = i + ROWS_AHEAD; ahead < i + ROWS_AHEAD + AT_ONCE && ahead < n; ahead++)
        for (int64_t column = 0; column < dim; column += 64)
            __builtin_prefetch(lexicon->directions + known[ahead] * dim + column);
    for (int k = 0; k < AT_ONCE; k++) {
        rows[k] = lexicon->directions + known[i + k < n ? i + k : i] * dim;
        factors[k] = i + k < n ? (int16_t)weights[i + k] : 0;
    }
}

static void add_rows(const int8_t **rows, const int16_t *factors, int64_t from, int64_t dim, int32_t *sums) {
    for (int64_t column = from; column < dim; column++)
        sums[column] += factors[0] * rows[0][column] + factors[1] * rows[1][column] + factors[2] * rows[2][column] +
                        factors[3] * rows[3][column];
}

#ifdef HAS_AVX2
/* Of sixteen columns of two rows: the first and the third four of the weighted sums, and the second and the last four. */
AVX2 static void add_two(const int8_t *one, const int8_t *other, __m256i factors, __m256i *outer, __m256i *inner) {
    __m256i a = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)one));
    __m256i b = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)other));
    *outer = _mm256_add_epi32(*outer, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), factors));
    *inner = _mm256_add_epi32(*inner, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), factors));
}

/* What `add_rows` does for the columns up to the last whole sixteen, whose sums stand in the order of `add_two`. */
AVX2 static void add_sixteens(const int8_t **rows, const int16_t *factors, int64_t whole, int32_t *sums) {
    __m256i one = _mm256_set1_epi32((int32_t)((uint32_t)(uint16_t)factors[1] << 16 | (uint16_t)factors[0]));
    __m256i other = _mm256_set1_epi32((int32_t)((uint32_t)(uint16_t)factors[3] << 16 | (uint16_t)factors[2]));
    for (int64_t column = 0; column < whole; column += 16) {
        __m256i *place = (__m256i *)(sums + column), outer = _mm256_loadu_si256(place);
        __m256i inner = _mm256_loadu_si256(place + 1);
        add_two(rows[0] + column, rows[1] + column, one, &outer, &inner);
        add_two(rows[2] + column, rows[3] + column, other, &outer, &inner);
        _mm256_storeu_si256(place, outer);
        _mm256_storeu_si256(place + 1, inner);
    }
}

static void swap_fours(int32_t *one, int32_t *other) {
    int32_t kept[4];
    memcpy(kept, one, sizeof kept);
    memcpy(one, other, sizeof kept);
    memcpy(other, kept, sizeof kept);
}

static int has_avx2(void) { return __builtin_cpu_supports("avx2"); }
#endif

/* The sum of the weighted directions, [dim]: whole numbers far below 2^31 (projection.py says why), which are the same in
 * whatever order they are summed.
 */
static void project(const Lexicon *lexicon, const int32_t *known, const double *weights, int64_t n, int32_t *sums) {
    const int8_t *rows[AT_ONCE];
    int16_t factors[AT_ONCE];
    int64_t dim = lexicon->dim, whole = 0;
    memset(sums, 0, (size_t)dim * sizeof *sums);
#ifdef HAS_AVX2
    if (has_avx2()) whole = dim / 16 * 16;
#endif
    for (int64_t i = 0; i < n; i += AT_ONCE) {
        rows_at(lexicon, known, weights, n, i, rows, factors);
#ifdef HAS_AVX2
        if (whole) add_sixteens(rows, factors, whole, sums);
#endif
        add_rows(rows, factors, whole, dim, sums);
    }
#ifdef HAS_AVX2
    for (int64_t column = 0; column < whole; column += 16) swap_fours(sums + column + 4, sums + column + 8);
#endif
}

enum { BLOCK = 128, SIDE_BY_SIDE = 8 };

/* The sum of squares in the order in which NumPy sums a row: halves of at most BLOCK numbers, eight sums side by side. */
static double squares_of(const double *values, int64_t n) {
    if (n > BLOCK) {
        int64_t half = n / 2 / SIDE_BY_SIDE * SIDE_BY_SIDE;
        return squares_of(values, half) + squares_of(values + half, n - half);
    }
    double parts[SIDE_BY_SIDE] = {0}, total = 0.0;
    int64_t i = 0;
    for (; i + SIDE_BY_SIDE <= n; i += SIDE_BY_SIDE)
        for (int k = 0; k < SIDE_BY_SIDE; k++) parts[k] += values[i + k] * values[i + k];
    total = ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]));
    for (; i < n; i++) total += values[i] * values[i];
    return total;
}

/* The sums at their scales as a vector of length 1, or 0. */
static void make_unit(const Lexicon *lexicon, const int32_t *sums, double *scaled, float *vector) {
    for (int64_t column = 0; column < lexicon->dim; column++)
        scaled[column] = (double)sums[column] * (double)lexicon->scale[column];
    double length = most(sqrt(squares_of(scaled, lexicon->dim)), LEAST_OF_VECTORS);
    for (int64_t column = 0; column < lexicon->dim; column++) vector[column] = (float)(scaled[column] / length);
}

/* The longest of n texts. */
static int64_t longest_of(const int64_t *bounds, int64_t n) {
    int64_t longest = 0;
    for (int64_t i = 0; i < n; i++)
        if (bounds[i + 1] - bounds[i] > longest) longest = bounds[i + 1] - bounds[i];
    return longest;
}

/* Texts are plain (normal_text.py). Written are the vectors [n, dim], the shares of known n-grams [n] and of new ones [n].
 */
int tenbin_read_texts(const Lexicon *lexicon, const uint32_t *codes, const int64_t *bounds, int64_t n, float *vectors,
                      double *familiar, double *novel) {
    size_t known = (size_t)lexicon->known + 1;
    uint64_t *met = calloc((size_t)blocks_of(lexicon), sizeof *met);
    uint32_t *times = calloc(known + 1, sizeof *times);
    double *weights = malloc(known * sizeof *weights), *scaled = malloc((size_t)(lexicon->dim + 1) * sizeof *scaled);
    int32_t *indices = malloc(known * sizeof *indices), *sums = malloc((size_t)(lexicon->dim + 1) * sizeof *sums);
    uint32_t *normal = malloc((size_t)(longest_of(bounds, n) + 1) * sizeof *normal);
    int is_done = met && times && weights && scaled && indices && sums && normal;
    for (int64_t i = 0; is_done && i < n; i++) {
        Counts counts = {.times = times, .met = met};
        int64_t length = tenbin_normal(lexicon->folds, codes + bounds[i], bounds[i + 1] - bounds[i], ' ', normal);
        count_text(lexicon, &counts, normal, length);
        int64_t all = counts.all[WORDS] + counts.all[CHARACTERS];
        familiar[i] = counts.language ? share(counts.known_language, counts.language) : share(counts.known, all);
        novel[i] = 0.0;
        for (int kind = WORDS; kind <= CHARACTERS; kind++)
            novel[i] += 0.5 * (double)counts.new[kind] / (double)(counts.all[kind] > 1 ? counts.all[kind] : 1);
        project(lexicon, indices, weights, weigh(lexicon, &counts, indices, weights), sums);
        make_unit(lexicon, sums, scaled, vectors + i * lexicon->dim);
    }
    free(met), free(times), free(weights), free(scaled), free(indices), free(sums), free(normal);
    return is_done ? 0 : -1;
}
