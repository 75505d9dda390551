/* The rest of what is read: characters by kind, tokens, marks and options of texts, counted as in tally.py, marks.py,
 * options.py and surface_counts.py. Texts come as in kernel.c, and the same holds of memory, rounding and results.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int64_t tenbin_normal(const uint8_t *folds, const uint32_t *codes, int64_t length, uint32_t end, uint32_t *normal);

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
    for (int64_t i = 1, alike = 0; i < length; i++) {
        int kind = i + 1 < length ? kind_of(signs, codes[i]) : EDGE;
        if (kind == before) { /* most often: counted here, and not each time in memory */
            alike++;
            continue;
        }
        pairs[before * KINDS + before] += alike;
        pairs[before * KINDS + kind]++;
        letters = before == LOWER || before == UPPER ? letters + alike + 1 : 0;
        digits = before == NUMERAL ? alike + 1 : 0;
        if ((letters && kind != LOWER && kind != UPPER) || digits) end_run(lengths, letters, digits), letters = 0;
        alike = 0;
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
            if (!group) continue;
            for (int64_t word = signs->firsts[group]; word < signs->firsts[group] + signs->counts[group]; word++) {
                if (i < ends[word] || !begins(signs, word, codes + i, length - i)) continue;
                ends[word] = i + signs->sizes[word];
                marks[signs->names[word]]++;
            }
        }
    }
}

/* Written are the events [n, n_events]. */
int tenbin_count_events(const Signs *signs, const uint32_t *codes, const int64_t *bounds, int64_t n, double *events) {
    int64_t kinds[KINDS];
    for (int64_t i = 0; i < n; i++)
        tally_kinds(signs, codes + bounds[i], bounds[i + 1] - bounds[i], events + i * signs->n_events, kinds);
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

/* What surface features are made of (surface_columns.py): what is told of each query, single signs, and what is counted. */
enum { ASKED = 4, ASKED_OTHERWISE = ASKED, OF_REST, SCALE, TOLD };
enum { QUESTIONS, QUOTES, LINES, OTHER_SIGNS, MOST_SIGNS = 16 };
enum { TOKENS, TOKENS_A_LINE, DIGIT_RUNS, DIGITS_A_NUMBER, OPTION_TOKENS, OPTIONS, OF_CONVERSATION };

/* `weights` [3, n_events] are tokens per event of texts, of their options, and of whole texts. */
typedef struct {
    const uint8_t *folds; /* [128]: normal.c */
    const Signs *signs;
    const Labels *labels;
    const uint8_t *signs_of; /* [128]: 1 + what each ASCII character is counted for, 0 for nothing */
    const double *weights;
    const int64_t *order; /* [width]: where each feature stands among what is counted */
    int64_t n_signs; /* so many, MOST_SIGNS at most, the first OTHER_SIGNS of them among these */
    int64_t logged, width;
} Surface;

static void tally_signs(const Surface *surface, const uint32_t *codes, int64_t length, int64_t *counts) {
    int64_t found[MOST_SIGNS + 1] = {0};
    for (int64_t i = 0; i < length; i++) found[codes[i] < 128 ? surface->signs_of[codes[i]] : 0]++;
    memcpy(counts, found + 1, (size_t)surface->n_signs * sizeof *counts);
}

static double greater(double a, double b) { return a > b ? a : b; }

static double tokens_of(const Signs *signs, const double *events, const double *weights) {
    double total = events[0] * weights[0];
    for (int64_t event = 1; event < signs->n_events; event++) total += events[event] * weights[event];
    return total;
}

static double share_of(double part, double whole) { return part / greater(part + whole, 1e-9); }

/* One query's row; `text` is of what is read of it, `whole` of all; how many tokens the whole has. */
static double count_query(const Surface *surface, const uint32_t *text, int64_t length, const uint32_t *whole,
                          int64_t whole_length, const double *told, double *events, int64_t *room, double *row) {
    double scale = told[SCALE];
    const Signs *signs = surface->signs;
    int64_t kinds[KINDS], option_kinds[KINDS], whole_kinds[KINDS], counts[MOST_SIGNS], start = 0;
    int64_t *marks = room + signs->words;
    double options = (double)count_options(surface->labels, text, length, &start);
    double numbers = scale * (double)tally_kinds(signs, text, length, events, kinds);
    double tokens = scale * tokens_of(signs, events, surface->weights);
    tally_kinds(signs, text + start, length - start, events, option_kinds);
    double option_tokens = scale * tokens_of(signs, events, surface->weights + signs->n_events);
    tally_signs(surface, text, length, counts);
    double digits = scale * (double)kinds[NUMERAL], lines = scale * (double)(counts[LINES] + 1);
    memset(marks, 0, (size_t)signs->n_names * sizeof *marks);
    tally_marks(signs, text, length, room, marks);
    row[TOKENS] = tokens, row[TOKENS_A_LINE] = tokens / lines, row[DIGIT_RUNS] = numbers;
    row[DIGITS_A_NUMBER] = digits / greater(numbers, 1.0);
    row[OPTION_TOKENS] = option_tokens / greater(options, 1.0), row[OPTIONS] = options;
    double *next = row + OF_CONVERSATION;
    for (int i = 0; i < ASKED; i++) *next++ = told[i];
    *next++ = scale * ((double)counts[QUESTIONS] + told[ASKED_OTHERWISE]), *next++ = scale * (double)counts[QUOTES];
    for (int64_t name = 0; name < signs->n_names; name++) *next++ = scale * (double)marks[name];
    *next++ = share_of(scale * (double)kinds[SYMBOL], tokens), *next++ = share_of(digits, tokens);
    for (int64_t i = OTHER_SIGNS; i < surface->n_signs; i++) *next++ = share_of(scale * (double)counts[i], tokens);
    *next++ = share_of(scale * (double)option_kinds[NUMERAL], option_tokens);
    *next++ = told[OF_REST], *next = lines;
    tally_kinds(signs, whole, whole_length, events, whole_kinds);
    return tokens_of(signs, events, surface->weights + 2 * signs->n_events);
}

/* Logarithms of counts and of lines, which are the last; all in the order of the features. */
static void make_features(const Surface *surface, double *row, float *features) {
    for (int64_t i = 0; i < surface->logged; i++) row[i] = log1p(row[i]);
    row[surface->width - 1] = log(row[surface->width - 1]);
    for (int64_t i = 0; i < surface->width; i++) features[i] = (float)row[surface->order[i]];
}

/* The first half of the texts are what is read of n / 2 queries, plain (normal_text.py), the second half all of them. `told`
 * [n / 2, TOLD] is given; written are the features [n / 2, width] and the tokens [n / 2] of whole texts.
 */
int tenbin_count_surface(const Surface *surface, const uint32_t *codes, const int64_t *bounds, int64_t n, const double *told,
                         float *features, double *tokens) {
    const Signs *signs = surface->signs;
    int64_t queries = n / 2, longest = 0;
    for (int64_t i = 0; i < queries; i++)
        if (bounds[i + 1] - bounds[i] > longest) longest = bounds[i + 1] - bounds[i];
    uint32_t *normal = malloc((size_t)(longest + 1) * sizeof *normal);
    int64_t *room = malloc((size_t)(signs->words + signs->n_names + 1) * sizeof *room);
    double *events = malloc((size_t)(signs->n_events + surface->width) * sizeof *events);
    int is_done = normal && room && events;
    for (int64_t i = 0; is_done && i < queries; i++) {
        const int64_t *own = bounds + i, *whole = own + queries;
        double *row = events + signs->n_events;
        int64_t length = tenbin_normal(surface->folds, codes + own[0], own[1] - own[0], '\n', normal);
        tokens[i] = count_query(surface, normal, length, codes + whole[0], whole[1] - whole[0], told + i * TOLD, events,
                                room, row);
        make_features(surface, row, features + i * surface->width);
    }
    free(normal), free(room), free(events);
    return is_done ? 0 : -1;
}
