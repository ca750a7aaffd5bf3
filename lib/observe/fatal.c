#include "observe/fatal.h"

#include "base/atomic.h"
#include "base/text.h"
#include "observe/ring.h"

#include <stdlib.h>

// "operator delete" is a function's name, but two words.
static void one_word(char* out, size_t size, const char* text) {
    text_format(out, size, "%s", text);
    for (; *out != '\0'; out++)
        if (*out == ' ') *out = '_';
}

__attribute__((used)) char hakmem_last_words[LAST_WORDS];

static void keep_for_a_core(const char* line) {
    static _Atomic uint32_t said;
    uint32_t nobody = 0;
    if (cas_relaxed(&said, &nobody, 1u)) text_format(hakmem_last_words, LAST_WORDS, "%s", line);
}

void fatal(const char* check, const char* site, const char* format, ...) {
    char text[896];
    va_list args;
    va_start(args, format);
    text_vformat(text, sizeof text, format, args);
    va_end(args);
    char line[LAST_WORDS], word[64];
    one_word(word, sizeof word, site);
    text_format(line, sizeof line, "hakmem: check=%s site=%s %s\n", check, word, text);
    keep_for_a_core(line);
    ring_record(HAK_EVENT_violation, NULL, 0, 0);
    hak_ring_last_words(line);
    text_warn("%s", line);
    abort();
}
