// Which leaks are not told: suppressions in LeakSanitizer's format, and leaks that a file knows already.
// Thread-safety: none needed. Errors: false after one line on stderr.
#ifndef HAKSTRESS_SUPPRESSIONS_H
#define HAKSTRESS_SUPPRESSIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct suppression {
    char* pattern;
    size_t line;
    json_int_t blocks, bytes;  // of what it matched
};

struct suppressions {
    const char* path;
    struct suppression* list;
    size_t count;
};

// Lines leak:PATTERN, empty ones, and comments that begin with #.
bool suppressions_read(struct suppressions* suppressions, const char* path);
void suppressions_free(struct suppressions* suppressions);
// Does the text contain what the pattern says? * is any text, ^ at the start and $ at the end stand for the ends.
bool suppression_matches(const char* pattern, const char* text);
// Sets `suppressed` of each stack of a leaks document in which a function, file or module matches.
void suppressions_apply(struct suppressions* suppressions, json_t* leaks);

#endif
