/* What stacks that see alike make of design columns, in one pass: closeness to landmarks, the sums of all their heads, and
 * how little the training rows say.
 *
 * The same stands in Python in sight.py, which serves where this file was not compiled or the processor lacks AVX2; results
 * differ by rounding alone. Every sum is made in the same order whatever the other rows are, so that no row knows of
 * them. Nothing is kept between calls; whatever is written belongs to the caller or is freed before the end.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* What stacks have learnt; the arrays are the caller's. */
typedef struct {
    const double *points;        /* [landmarks, p] */
    const double *half_square;   /* [landmarks] */
    const double *centre;        /* [2 landmarks] */
    const double *scale;         /* [2 landmarks] */
    const double *columns;       /* [sums, p + 2 landmarks] */
    const double *directions;    /* [kept, p] */
    const double *of_candidates; /* [candidates, kept + 1] */
    const double *of_means;      /* [candidates] */
    double inverse_width;
    int64_t p, landmarks, sums, kept, candidates;
} Sight;

#if defined(__x86_64__) && defined(__GNUC__) && !defined(TENBIN_PLAIN)
#include <immintrin.h>
#define QUICK __attribute__((target("avx2,fma")))

enum { LANES = 4, ROWS = 4, COLUMNS = 8 }; /* COLUMNS of some hundred numbers stay in the nearest cache for all rows */

int tenbin_can_see(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

QUICK static double total_of(__m256d even, __m256d odd, const double *a, const double *b, int64_t from, int64_t length) {
    double parts[LANES];
    _mm256_storeu_pd(parts, _mm256_add_pd(even, odd));
    double total = (parts[0] + parts[1]) + (parts[2] + parts[3]);
    for (int64_t i = from; i < length; i++) total = fma(a[i], b[i], total);
    return total;
}

QUICK static double product(const double *a, const double *b, int64_t length) {
    __m256d even = _mm256_setzero_pd(), odd = even;
    int64_t i = 0;
    for (; i + 2 * LANES <= length; i += 2 * LANES) {
        even = _mm256_fmadd_pd(_mm256_loadu_pd(a + i), _mm256_loadu_pd(b + i), even);
        odd = _mm256_fmadd_pd(_mm256_loadu_pd(a + i + LANES), _mm256_loadu_pd(b + i + LANES), odd);
    }
    return total_of(even, odd, a, b, i, length);
}

/* The products of one column with ROWS rows that lie `stride` apart, each as `product` makes it. */
QUICK static void four_products(const double *column, const double *rows, int64_t stride, int64_t length, double *out,
                                int64_t out_stride) {
    __m256d even[ROWS], odd[ROWS];
    int64_t i = 0;
    for (int row = 0; row < ROWS; row++) even[row] = odd[row] = _mm256_setzero_pd();
    for (; i + 2 * LANES <= length; i += 2 * LANES) {
        __m256d first = _mm256_loadu_pd(column + i), second = _mm256_loadu_pd(column + i + LANES);
        for (int row = 0; row < ROWS; row++) {
            const double *own = rows + row * stride + i;
            even[row] = _mm256_fmadd_pd(first, _mm256_loadu_pd(own), even[row]);
            odd[row] = _mm256_fmadd_pd(second, _mm256_loadu_pd(own + LANES), odd[row]);
        }
    }
    for (int row = 0; row < ROWS; row++)
        out[row * out_stride] = total_of(even[row], odd[row], column, rows + row * stride, i, length);
}

/* out [n, q] = rows [n, length] times columns [q, length]. */
QUICK static void products(const double *rows, int64_t stride, int64_t n, const double *columns, int64_t q, int64_t length,
                           double *out, int64_t out_stride) {
    for (int64_t first = 0; first < q; first += COLUMNS) {
        int64_t row = 0, stop = first + COLUMNS < q ? first + COLUMNS : q;
        for (; row + ROWS <= n; row += ROWS)
            for (int64_t c = first; c < stop; c++)
                four_products(columns + c * length, rows + row * stride, stride, length, out + row * out_stride + c,
                              out_stride);
        for (; row < n; row++)
            for (int64_t c = first; c < stop; c++)
                out[row * out_stride + c] = product(columns + c * length, rows + row * stride, length);
    }
}

#define LOG2_E 1.4426950408889634
#define LN_2_HIGH 6.93147180369123816490e-01
#define LN_2_LOW 1.90821492927058770002e-10
#define TO_WHOLE 6755399441055744.0 /* 1.5 * 2^52: what is added to it is rounded to a whole number, in its low bits */
#define LEAST (-700.0)

/* The exponentials of four numbers of at most 0, to the last bit but one: 2^k times a series in what is left over. */
QUICK static __m256d exponentials(__m256d x) {
    static const double factors[] = {1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
                                     1.0 / 720,       1.0 / 120,      1.0 / 24,      1.0 / 6,      1.0 / 2,     1.0, 1.0};
    x = _mm256_max_pd(x, _mm256_set1_pd(LEAST));
    __m256d whole = _mm256_fmadd_pd(x, _mm256_set1_pd(LOG2_E), _mm256_set1_pd(TO_WHOLE));
    __m256d k = _mm256_sub_pd(whole, _mm256_set1_pd(TO_WHOLE));
    __m256d rest = _mm256_fnmadd_pd(k, _mm256_set1_pd(LN_2_HIGH), x);
    rest = _mm256_fnmadd_pd(k, _mm256_set1_pd(LN_2_LOW), rest);
    __m256d sum = _mm256_set1_pd(factors[0]);
    for (int i = 1; i < 13; i++) sum = _mm256_fmadd_pd(sum, rest, _mm256_set1_pd(factors[i]));
    __m256i power = _mm256_add_epi64(_mm256_castpd_si256(whole), _mm256_set1_epi64x(1023));
    return _mm256_mul_pd(sum, _mm256_castsi256_pd(_mm256_slli_epi64(power, 52)));
}

/* From products with the points, where they stand, to closeness, wide and narrow (landmarks.py). */
QUICK static void come_close(const Sight *sight, double square, double *close) {
    int64_t half = sight->landmarks;
    double *wide = close, *narrow = close + half;
    for (int64_t i = 0; i < half; i++) {
        double squared = 2.0 * (sight->half_square[i] - wide[i]) + square;
        wide[i] = -sight->inverse_width * (squared > 0.0 ? squared : 0.0);
    }
    int64_t i = 0;
    for (; i + LANES <= half; i += LANES) _mm256_storeu_pd(wide + i, exponentials(_mm256_loadu_pd(wide + i)));
    if (i < half) {
        double last[LANES] = {0};
        for (int64_t k = i; k < half; k++) last[k - i] = wide[k];
        _mm256_storeu_pd(last, exponentials(_mm256_loadu_pd(last)));
        for (int64_t k = i; k < half; k++) wide[k] = last[k - i];
    }
    for (i = 0; i < half; i++) {
        double twice = wide[i] * wide[i];
        narrow[i] = twice * twice;
    }
    for (i = 0; i < 2 * half; i++) close[i] = (close[i] - sight->centre[i]) * sight->scale[i];
}

/* `seen` [n, p + 2 landmarks] begins with the design columns of each row; closeness is written behind them, the sums
 * [n, sums] of all heads, and the variances [n, candidates] of the first stack's means. 0, or -1 where there is no memory.
 */
QUICK int tenbin_see(const Sight *sight, double *seen, int64_t n, double *sums, double *variances) {
    int64_t p = sight->p, wide = p + 2 * sight->landmarks, kept = sight->kept;
    double *along = malloc((size_t)(n * (kept + 1) + 1) * sizeof *along);
    if (!along) return -1;
    products(seen, wide, n, sight->points, sight->landmarks, p, seen + p, wide);
    products(seen, wide, n, sight->directions, kept, p, along, kept + 1);
    for (int64_t row = 0; row < n; row++) {
        double *own = along + row * (kept + 1), square = product(seen + row * wide, seen + row * wide, p), known = 0.0;
        come_close(sight, square, seen + row * wide + p);
        for (int64_t i = 0; i < kept; i++) own[i] *= own[i], known += own[i];
        own[kept] = square > known ? square - known : 0.0;
    }
    products(seen, wide, n, sight->columns, sight->sums, wide, sums, sight->sums);
    products(along, kept + 1, n, sight->of_candidates, sight->candidates, kept + 1, variances, sight->candidates);
    for (int64_t row = 0; row < n; row++)
        for (int64_t m = 0; m < sight->candidates; m++) variances[row * sight->candidates + m] += sight->of_means[m];
    free(along);
    return 0;
}
#else
int tenbin_can_see(void) { return 0; }

int tenbin_see(const Sight *sight, double *seen, int64_t n, double *sums, double *variances) {
    (void)sight, (void)seen, (void)n, (void)sums, (void)variances;
    return -1;
}
#endif
