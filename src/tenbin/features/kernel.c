/* What takes longest when texts are read, compiled: hashed n-grams, weighed and projected, and what is tallied.
 *
 * The same rules stand in Python in ngrams.py, familiarity.py, lexicon.py and projection.py, in token_count.py and
 * marks.py, which serve where this file was not compiled and explain every step; both give the same bits
 * (tests/features/test_kernel.py). Everything is counted in whole numbers or in doubles one after the other, and compiled
 * without contraction, so that no processor rounds otherwise. Nothing is kept between calls; whatever is written belongs
 * to the caller or is freed before the end.
 *
 * Texts come as one array `codes` of characters, each text between two spaces of its own; text i is
 * [bounds[i], bounds[i + 1]) of them. All functions give 0, or -1 where there is no memory.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The hash of this file, by which it is known whether a library was compiled from it. */
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

/* What a fit has learnt, and the classes of characters; the arrays are the caller's. */
typedef struct {
    const uint8_t *classes;     /* [65536] */
    const uint16_t *rows;       /* [slots]: 0 new, 1 ... known, known + 1: seen and not projected */
    const float *idf;           /* [known] */
    const double *log_counts;   /* [counts] */
    const int8_t *directions;   /* [known, dim] */
    int64_t known, words, dim, counts;
    double text_norm, character_weight;
    int64_t ideographs_from, ideographs_to; /* beyond 65535 these are letters, all others signs */
} Lexicon;

enum { AHEAD = 64 }; /* so many rows are on their way from memory while the next n-grams are hashed */

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
    int waiting;
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

static void count_found(const Lexicon *lexicon, Counts *counts) {
    for (int i = 0; i < counts->waiting; i++) {
        Found found = counts->found[i];
        uint32_t row = lexicon->rows[found.slot];
        int known = row > 0 && row <= lexicon->known;
        counts->all[found.kind]++;
        counts->new[found.kind] += row == 0;
        counts->known += known;
        counts->language += found.language;
        counts->known_language += known & found.language;
        /* Of unknown ones, too: asking first would be guessed wrong for every third. */
        counts->times[row]++;
        counts->met[row >> 6] |= UINT64_C(1) << (row & 63);
    }
    counts->waiting = 0;
}

static void find(const Lexicon *lexicon, Counts *counts, uint64_t hash, int kind, int language) {
    hash ^= hash >> FOLD;
    uint32_t slot = (uint32_t)((hash * LAST) >> SHIFT) + (kind == CHARACTERS ? WORD_SLOTS : 0);
    __builtin_prefetch(lexicon->rows + slot);
    counts->found[counts->waiting++] = (Found){slot, (uint8_t)kind, (uint8_t)language};
    if (counts->waiting == AHEAD) count_found(lexicon, counts);
}

static void end_word(const Lexicon *lexicon, Counts *counts, Word *word, Word *before) {
    if (!word->open) return;
    find(lexicon, counts, word->hash + 1, WORDS, 0);
    if (before->open)
        find(lexicon, counts, before->hash * BASE + word->hash + 2, WORDS, before->lettered && word->lettered);
    *before = *word;
    word->open = 0;
}

/* Count the n-grams of one text, which begins and ends with a space of its own. */
static void count_text(const Lexicon *lexicon, Counts *counts, const uint32_t *codes, int64_t length) {
    Word word = {0}, before = {0};
    uint64_t last[5] = {0}; /* the hashes of this character and of the four before it */
    int64_t letters = 0;
    int previous = BLANK;
    for (int64_t i = 0; i < length; i++) {
        uint32_t code = codes[i];
        int class = class_of(lexicon, code);
        memmove(last + 1, last, 4 * sizeof *last);
        last[0] = mixed(class == DIGIT ? '0' : code);
        if (class == BLANK || class != previous || class >= LONE_LETTER) end_word(lexicon, counts, &word, &before);
        if (class != BLANK) {
            if (!word.open) word = (Word){0, 1, 1, class & 1};
            word.hash += last[0] * word.power;
            word.power *= BASE;
        }
        previous = class;
        letters = class & 1 ? letters + 1 : 0;
        uint64_t rolling = (last[2] * BASE + last[1]) * BASE + last[0], power = BASE * BASE * BASE;
        for (int order = 3; order <= 5 && order <= i + 1; order++) {
            if (order > 3) rolling += last[order - 1] * power, power *= BASE;
            find(lexicon, counts, rolling + order, CHARACTERS, letters >= order);
        }
    }
    count_found(lexicon, counts);
}

/* Blocks of 64 rows: those of known n-grams, the one of new ones, the one of those seen and not projected. */
static int64_t blocks_of(const Lexicon *lexicon) { return (lexicon->known + 2 + 63) / 64; }

static double share(int64_t part, int64_t whole) { return (double)part / (double)(whole > 1 ? whole : 1); }

static double most(double a, double b) { return a > b ? a : b; }

/* The known n-grams of the counts in rising order and their weights, which are whole numbers; `times` is zero again. */
static int64_t weigh(const Lexicon *lexicon, Counts *counts, int32_t *known, double *weights) {
    int64_t n = 0, words = 0, blocks = blocks_of(lexicon);
    double squares[2] = {0, 0}, norms[2], parts[2];
    for (int64_t block = 0; block < blocks; block++)
        for (uint64_t bits = counts->met[block]; bits; bits &= bits - 1) {
            int64_t index = block * 64 + __builtin_ctzll(bits) - 1, times = counts->times[index + 1];
            counts->times[index + 1] = 0;
            if (index < 0 || index >= lexicon->known) continue;
            double weight = lexicon->log_counts[times < lexicon->counts ? times : lexicon->counts - 1];
            weight *= (double)lexicon->idf[index];
            squares[index < lexicon->words ? WORDS : CHARACTERS] += weight * weight;
            words += index < lexicon->words;
            known[n] = (int32_t)index;
            weights[n++] = weight;
        }
    memset(counts->met, 0, (size_t)blocks * sizeof *counts->met);
    parts[WORDS] = squares[WORDS] > 0 ? 1.0 : 0.0;
    parts[CHARACTERS] = squares[CHARACTERS] > 0 ? lexicon->character_weight : 0.0;
    double whole = most(sqrt(parts[WORDS] * parts[WORDS] + parts[CHARACTERS] * parts[CHARACTERS]), LEAST_LENGTH);
    for (int kind = WORDS; kind <= CHARACTERS; kind++)
        norms[kind] = lexicon->text_norm * (parts[kind] / whole) / most(sqrt(squares[kind]), LEAST_LENGTH);
    for (int64_t i = 0; i < n; i++) weights[i] = (double)lrint(weights[i] * norms[i < words ? WORDS : CHARACTERS]);
    return n;
}

/* The sum of the weighted directions, [dim]: whole numbers far below 2^31 (projection.py says why). Two at a time, which
 * compilers turn into one instruction for each four columns.
 */
static void project(const Lexicon *lexicon, const int32_t *known, const double *weights, int64_t n, int32_t *sums) {
    int64_t dim = lexicon->dim;
    memset(sums, 0, (size_t)dim * sizeof *sums);
    for (int64_t i = 0; i < n; i += 2) {
        for (int64_t ahead = i + 4; ahead < i + 6 && ahead < n; ahead++)
            for (int64_t column = 0; column < dim; column += 64)
                __builtin_prefetch(lexicon->directions + known[ahead] * dim + column);
        int is_pair = i + 1 < n;
        const int8_t *one = lexicon->directions + known[i] * dim;
        const int8_t *other = is_pair ? lexicon->directions + known[i + 1] * dim : one;
        int16_t first = (int16_t)weights[i], second = is_pair ? (int16_t)weights[i + 1] : 0;
        for (int64_t column = 0; column < dim; column++) sums[column] += first * one[column] + second * other[column];
    }
}

/* Written are the weighted sums of directions [n, dim], the shares of known n-grams [n] and of new ones [n]. */
int tenbin_read_texts(const Lexicon *lexicon, const uint32_t *codes, const int64_t *bounds, int64_t n, float *vectors,
                      double *familiar, double *novel) {
    size_t known = (size_t)lexicon->known + 1;
    uint64_t *met = calloc((size_t)blocks_of(lexicon), sizeof *met);
    uint32_t *times = calloc(known + 1, sizeof *times);
    double *weights = malloc(known * sizeof *weights);
    int32_t *indices = malloc(known * sizeof *indices), *sums = malloc((size_t)(lexicon->dim + 1) * sizeof *sums);
    int is_done = met && times && weights && indices && sums;
    for (int64_t i = 0; is_done && i < n; i++) {
        Counts counts = {.times = times, .met = met};
        count_text(lexicon, &counts, codes + bounds[i], bounds[i + 1] - bounds[i]);
        int64_t all = counts.all[WORDS] + counts.all[CHARACTERS];
        familiar[i] = counts.language ? share(counts.known_language, counts.language) : share(counts.known, all);
        novel[i] = 0.0;
        for (int kind = WORDS; kind <= CHARACTERS; kind++)
            novel[i] += 0.5 * (double)counts.new[kind] / (double)(counts.all[kind] > 1 ? counts.all[kind] : 1);
        project(lexicon, indices, weights, weigh(lexicon, &counts, indices, weights), sums);
        for (int64_t column = 0; column < lexicon->dim; column++)
            vectors[i * lexicon->dim + column] = (float)sums[column];
    }
    free(met), free(times), free(weights), free(indices), free(sums);
    return is_done ? 0 : -1;
}

enum { SPACE, NEWLINE, LOWER, UPPER, NUMERAL, IDEOGRAPH = 9, SYMBOL = 14, EDGE, KINDS }; /* characters.py */
enum { LETTERS_5_TO_8, LETTERS_FROM_9, DIGIT_TRIPLES, LENGTHS };                           /* token_events.py */
enum { BEGINNINGS = 3 }; /* marks.py: words are found by a hash of 1, 2 or 4 characters */

/* Kinds of characters, what pairs of them count for, and the words that are marks, grouped by the hash of their beginning
 * (characters.py, token_events.py, marks.py).
 */
typedef struct {
    const uint8_t *kinds;          /* [65536] */
    const double *pair_events;     /* [KINDS * KINDS, n_events] */
    const int64_t *length_columns; /* [LENGTHS] */
    const uint16_t *groups;        /* [BEGINNINGS, 1 << hash_bits], 0: no word begins so */
    const int64_t *firsts, *counts, *names, *sizes;
    const uint32_t *codes; /* [words, longest], 0 behind the last one */
    int64_t n_events, hash_bits, words, longest, n_names;
    int64_t ideographs_from, ideographs_to;
} Signs;

static int kind_of(const Signs *signs, uint32_t code) {
    if (code < 0x10000) return signs->kinds[code];
    return code >= signs->ideographs_from && code < signs->ideographs_to ? IDEOGRAPH : SYMBOL;
}

static int64_t between(int64_t value, int64_t least, int64_t most) {
    return value < least ? least : value > most ? most : value;
}

/* What a run of so many letters or digits that has ended counts for. */
static void end_run(int64_t *lengths, int64_t letters, int64_t digits) {
    lengths[LETTERS_5_TO_8] += between(letters, 4, 8) - 4;
    lengths[LETTERS_FROM_9] += letters > 8 ? letters - 8 : 0;
    lengths[DIGIT_TRIPLES] += (digits + 2) / 3;
}

/* The events of one text, [n_events]; its characters of each kind, [KINDS]; how many runs of digits it has. */
static int64_t tally_kinds(const Signs *signs, const uint32_t *codes, int64_t length, double *events, int64_t *kinds) {
    int64_t pairs[KINDS * KINDS] = {0}, lengths[LENGTHS] = {0}, letters = 0, digits = 0;
    int before = EDGE;
    for (int64_t i = 1; i < length; i++) {
        int kind = i + 1 < length ? kind_of(signs, codes[i]) : EDGE;
        int is_letter = kind == LOWER || kind == UPPER, is_digit = kind == NUMERAL;
        pairs[before * KINDS + kind]++;
        if ((letters && !is_letter) || (digits && !is_digit)) end_run(lengths, letters, digits);
        letters = is_letter ? letters + 1 : 0;
        digits = is_digit ? digits + 1 : 0;
        before = kind;
    }
    for (int64_t event = 0; event < signs->n_events; event++) events[event] = 0;
    for (int kind = 0; kind < KINDS; kind++) kinds[kind] = 0;
    for (int pair = 0; pair < KINDS * KINDS; pair++) {
        if (!pairs[pair]) continue;
        const double *counted = signs->pair_events + pair * signs->n_events;
        for (int64_t event = 0; event < signs->n_events; event++) events[event] += (double)pairs[pair] * counted[event];
        if (pair % KINDS != EDGE) kinds[pair % KINDS] += pairs[pair];
    }
    for (int column = 0; column < LENGTHS; column++) events[signs->length_columns[column]] = (double)lengths[column];
    return kinds[NUMERAL] - pairs[NUMERAL * KINDS + NUMERAL];
}

static int begins(const Signs *signs, int64_t word, const uint32_t *codes, int64_t left) {
    const uint32_t *own = signs->codes + word * signs->longest;
    for (int64_t i = 0; i < signs->longest && own[i]; i++)
        if (i >= left || own[i] != codes[i]) return 0;
    return 1;
}

/* How often the words of each name stand in one text; no sign is part of two words of a kind. */
static void tally_marks(const Signs *signs, const uint32_t *codes, int64_t length, int64_t *ends, int64_t *marks) {
    static const uint32_t factors[] = {0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F};
    int shift = 32 - (int)signs->hash_bits;
    memset(ends, 0, (size_t)signs->words * sizeof *ends);
    for (int64_t i = 0; i < length; i++) {
        uint32_t hash = 0;
        for (int64_t count = 0, beginning = 0; count < 4 && i + count < length; count++) {
            hash ^= codes[i + count] * factors[count];
            if (count == 2) continue;
            int64_t group = signs->groups[(beginning++ << signs->hash_bits) + (hash >> shift)];
            for (int64_t word = signs->firsts[group]; word < signs->firsts[group] + signs->counts[group]; word++) {
                if (i < ends[word] || !begins(signs, word, codes + i, length - i)) continue;
                ends[word] = i + signs->sizes[word];
                marks[signs->names[word]]++;
            }
        }
    }
}

/* Written are the events [n, n_events], the characters of each kind [n, KINDS], the runs of digits [n], and the marks of
 * the first `marked` texts [marked, n_names].
 */
int tenbin_tally_texts(const Signs *signs, const uint32_t *codes, const int64_t *bounds, int64_t n, int64_t marked,
                       double *events, int64_t *kinds, int64_t *numbers, int64_t *marks) {
    int64_t *ends = malloc((size_t)(signs->words + 1) * sizeof *ends);
    if (!ends) return -1;
    memset(marks, 0, (size_t)(marked * signs->n_names) * sizeof *marks);
    for (int64_t i = 0; i < n; i++) {
        const uint32_t *own = codes + bounds[i];
        int64_t length = bounds[i + 1] - bounds[i];
        numbers[i] = tally_kinds(signs, own, length, events + i * signs->n_events, kinds + i * KINDS);
        if (i < marked) tally_marks(signs, own, length, ends, marks + i * signs->n_names);
    }
    free(ends);
    return 0;
}

enum { AT_LETTER = 1, AT_DIGIT = 2, OPENING = 4, CLOSING = 8, BEFORE = 16, BEHIND = 32, ORDERS = 3, NUMBERS = 1 };

/* What characters can be to a label, [65536] each (options.py): roles, and 1 + rank + 32 x order of a label of one sign, 0
 * where it is none.
 */
typedef struct {
    const uint8_t *roles, *labels;
    int64_t last_number;
} Labels;

static int role_of(const Labels *labels, uint32_t code) { return code < 0x10000 ? labels->roles[code] : 0; }

/* Whether the sign at `end` closes a label: in brackets, or behind a separator and before no digit. */
static int closes(const Labels *labels, const uint32_t *codes, int64_t end, int64_t length) {
    int own = role_of(labels, codes[end]), last = role_of(labels, codes[end - 1]);
    if (!(own & (CLOSING | BEHIND)) || !(last & (AT_LETTER | AT_DIGIT))) return 0;
    int second = role_of(labels, codes[end - 2]), third = end > 2 ? role_of(labels, codes[end - 3]) : 0;
    int front = second | (last & second & AT_DIGIT ? third : 0);
    int behind = end + 1 < length ? role_of(labels, codes[end + 1]) : 0;
    return (own & CLOSING && front & OPENING) || (own & BEHIND && front & BEFORE && !(behind & AT_DIGIT));
}

/* The label of one or two signs that begins at `first`: 1 + rank + 32 x order, 0 for none. */
static int label_of(const Labels *labels, const uint32_t *codes, int64_t first, int64_t end) {
    if (end - first == 1) return codes[first] < 0x10000 ? labels->labels[codes[first]] : 0;
    if (codes[first] < '1' || codes[first] > '9' || codes[first + 1] < '0' || codes[first + 1] > '9') return 0;
    int number = (int)((codes[first] - '0') * 10 + codes[first + 1] - '0');
    return number <= labels->last_number ? number + 32 * NUMBERS : 0;
}

/* How many options one text has, and where the first one starts: at its end where there are none. */
static int64_t count_options(const Labels *labels, const uint32_t *codes, int64_t length, int64_t *start) {
    int64_t counts[ORDERS] = {0}, firsts[ORDERS] = {0}, rows[ORDERS] = {0}, starts[ORDERS] = {0}, free_from = 0;
    for (int64_t end = 2; end + 1 < length; end++) {
        if (!closes(labels, codes, end, length)) continue;
        int64_t before = end - 2 - (codes[end - 2] >= '0' && codes[end - 2] <= '9');
        if (before < free_from) continue; /* no sign is part of two labels */
        free_from = end + 1;
        int label = label_of(labels, codes, before + 1, end);
        if (!label) continue;
        int order = (label - 1) / 32, rank = (label - 1) % 32;
        if (rank == 0) {
            counts[order] = 1;
            firsts[order] = before > 0 ? before - 1 : 0;
        } else if (rank == counts[order] && ++counts[order] > rows[order]) {
            rows[order] = counts[order];
            starts[order] = firsts[order];
        }
    }
    int longest = 0;
    for (int order = 1; order < ORDERS; order++)
        if (rows[order] > rows[longest]) longest = order;
    *start = rows[longest] ? starts[longest] : length - 2;
    return rows[longest];
}

/* Written are how many options each text has [n], and where the first one starts [n], not counting the space before it. */
int tenbin_find_options(const Labels *labels, const uint32_t *codes, const int64_t *bounds, int64_t n, int64_t *counts,
                        int64_t *starts) {
    for (int64_t i = 0; i < n; i++)
        counts[i] = count_options(labels, codes + bounds[i], bounds[i + 1] - bounds[i], starts + i);
    return 0;
}
