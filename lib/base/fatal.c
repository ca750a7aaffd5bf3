#include "base/fatal.h"

#include "base/signal_action.h"
#include "base/text.h"

#include <stdlib.h>

// A function's name may be two words, as "operator delete" is; `site` is one.
static void one_word(char* out, size_t size, const char* text) {
    text_format(out, size, "%s", text);
    for (; *out != '\0'; out++)
        if (*out == ' ') *out = '_';
}

__attribute__((used)) char hakmem_last_words[LAST_WORDS];

void (*_Atomic fatal_hook)(const char* line, bool goes_on);

static void keep_for_a_core(const char* line) {
    static _Atomic uint32_t said;
    uint32_t nobody = 0;
    if (cas_relaxed(&said, &nobody, 1u)) text_format(hakmem_last_words, LAST_WORDS, "%s", line);
}

typedef struct {
    char text[LAST_WORDS];
} Line;

static Line line_of(const char* check, const char* site, const char* format, va_list args) {
    char text[896], word[64];
    Line line;
    text_vformat(text, sizeof text, format, args);
    one_word(word, sizeof word, site);
    text_format(line.text, sizeof line.text, "hakmem: check=%s site=%s %s\n", check, word, text);
    return line;
}

static HAK_TLS bool dying;  // set: abort called the program's handler of SIGABRT, and that came back here

static void call_hook(const char* line, bool goes_on) {
    void (*hook)(const char*, bool) = load_relaxed(&fatal_hook);
    if (hook) hook(line, goes_on);
}

void last_words(const char* line) {
    keep_for_a_core(line);
    call_hook(line, false);
    text_warn("%s", line);
}

void passing_words(const char* line) {
    call_hook(line, true);
    text_warn("%s", line);
}

void fatal_abort(void) {
    if (dying) signal_die(SIGABRT);
    dying = true;
    abort();
}

static HAK_NORETURN void end_with(const Line* line) {
    if (dying) signal_die(SIGABRT);
    dying = true;
    last_words(line->text);
    abort();
}

void fatal(const char* check, const char* site, const char* format, ...) {
    va_list args;
    va_start(args, format);
    Line line = line_of(check, site, format, args);
    va_end(args);
    end_with(&line);
}

void wrong_call(bool goes_on, const char* check, const char* site, const char* format, ...) {
    va_list args;
    va_start(args, format);
    Line line = line_of(check, site, format, args);
    va_end(args);
    if (!goes_on) end_with(&line);
    call_hook(line.text, true);
    static _Atomic uint32_t lines;
    uint32_t before = load_relaxed(&lines) < WRONG_CALL_LINES ? add_relaxed(&lines, 1u) : WRONG_CALL_LINES;
    if (before < WRONG_CALL_LINES) text_warn("%s", line.text);
    if (before == WRONG_CALL_LINES - 1)
        text_warn("hakmem: %u wrong calls were told; all others are only counted, as free_refused in HAKMEM_STATS\n",
                  (unsigned)WRONG_CALL_LINES);
}
