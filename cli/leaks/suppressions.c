#include "leaks/suppressions.h"

#include "base/error.h"
#include "base/json.h"
#include "leaks/leak_places.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

// Patterns

static const char* find_part(const char* text, const char* part, size_t length, bool at_end) {
    if (length == 0) return at_end ? text + strlen(text) : text;
    for (; strlen(text) >= length; text++)
        if (strncmp(text, part, length) == 0 && (!at_end || text[length] == '\0')) return text;
    return NULL;
}

bool suppression_matches(const char* pattern, const char* text) {
    bool at_start = *pattern == '^';
    if (*text == '\0') return false;
    pattern += at_start;
    while (*pattern != '\0') {
        size_t length = strcspn(pattern, "*$");
        bool at_end = pattern[length] == '$';
        const char* found = find_part(text, pattern, length, at_end && !at_start);
        if (found == NULL || (at_start && found != text)) return false;
        text = found + length;
        if (at_end) return *text == '\0';
        at_start = false;
        pattern += length;
        while (*pattern == '*') pattern++;
    }
    return true;
}

// The file

static bool add(struct suppressions* suppressions, const char* pattern, size_t line) {
    struct suppression* more = realloc(suppressions->list, (suppressions->count + 1) * sizeof *more);
    char* copy = strdup(pattern);
    if (more != NULL) suppressions->list = more;
    if (more == NULL || copy == NULL) {
        free(copy);
        missing_error("out of memory");
        return false;
    }
    more[suppressions->count++] = (struct suppression){.pattern = copy, .line = line};
    return true;
}

static bool add_line(struct suppressions* suppressions, char* text, size_t line) {
    static const char kind[] = "leak:";
    text += strspn(text, " \t");
    for (size_t end = strlen(text); end > 0 && strchr(" \t\r\n", text[end - 1]) != NULL; end--) text[end - 1] = '\0';
    if (*text == '\0' || *text == '#') return true;
    if (strncmp(text, kind, sizeof kind - 1) == 0 && text[sizeof kind - 1] != '\0')
        return add(suppressions, text + sizeof kind - 1, line);
    usage_error("%s:%zu: a suppression is written leak:PATTERN, not '%s'", suppressions->path, line, text);
    return false;
}

bool suppressions_read(struct suppressions* suppressions, const char* path) {
    char* text = NULL;
    size_t room = 0, line = 0;
    bool fine = true;
    *suppressions = (struct suppressions){.path = path};
    FILE* file = fopen(path, "re");
    if (file == NULL) {
        usage_error("cannot read %s: %s", path, strerror(errno));
        return false;
    }
    while (fine && getline(&text, &room, file) >= 0) fine = add_line(suppressions, text, ++line);
    if (fine && ferror(file)) {
        usage_error("cannot read %s: %s", path, strerror(errno));
        fine = false;
    }
    free(text);
    fclose(file);
    return fine;
}

void suppressions_free(struct suppressions* suppressions) {
    for (size_t i = 0; i < suppressions->count; i++) free(suppressions->list[i].pattern);
    free(suppressions->list);
    *suppressions = (struct suppressions){.path = NULL};
}

// Stacks

static bool matches_call(const char* pattern, const struct leak_call* call) {
    const char *function = leak_call_function(call), *path = json_get_text(call->call, "path");
    return (function != NULL && suppression_matches(pattern, function)) ||
           (path != NULL && suppression_matches(pattern, path)) || suppression_matches(pattern, call->module);
}

static struct suppression* find(const struct suppressions* suppressions, const struct leak_call* calls, size_t count) {
    for (size_t i = 0; i < suppressions->count; i++)
        for (size_t c = 0; c < count; c++)
            if (matches_call(suppressions->list[i].pattern, &calls[c])) return &suppressions->list[i];
    return NULL;
}

void suppressions_apply(struct suppressions* suppressions, json_t* leaks) {
    struct leak_call calls[LEAK_CALLS_MAX];
    json_t* stack;
    size_t i;
    for (i = 0; i < suppressions->count; i++) suppressions->list[i].blocks = suppressions->list[i].bytes = 0;
    json_array_foreach(json_object_get(leaks, "stacks"), i, stack) {
        struct suppression* one = find(suppressions, calls, leak_calls(leaks, stack, calls));
        if (one == NULL) continue;
        const json_t *definite = json_object_get(stack, "definite"), *indirect = json_object_get(stack, "indirect");
        one->blocks += json_get_whole(definite, "blocks") + json_get_whole(indirect, "blocks");
        one->bytes += json_get_whole(definite, "bytes") + json_get_whole(indirect, "bytes");
        json_put_text(stack, "suppressed", one->pattern);
    }
}
