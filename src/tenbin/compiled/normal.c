/* The second half of normal_text.py: cases, quotes and white space of ASCII. What else there is of these came plain. */
#include <stdint.h>

enum { ASCII = 128 };

/* `folds` [128] is what each ASCII character becomes: of white space a space, or a new line. Written are the characters,
 * fewer or as many, between two spaces like those of the text, with one `end` for all white space that ends a line and
 * one space for other; how many.
 */
int64_t tenbin_normal(const uint8_t *folds, const uint32_t *codes, int64_t length, uint32_t end, uint32_t *normal) {
    int64_t written = 0;
    uint32_t gap = 0;
    normal[written++] = ' ';
    for (int64_t i = 1; i + 1 < length; i++) {
        uint32_t code = codes[i] < ASCII ? folds[codes[i]] : codes[i];
        if (code == ' ' || code == '\n') {
            gap = code == '\n' ? end : gap ? gap : ' ';
            continue;
        }
        if (gap && written > 1) normal[written++] = gap;
        gap = 0;
        normal[written++] = code;
    }
    normal[written++] = ' ';
    return written;
}
