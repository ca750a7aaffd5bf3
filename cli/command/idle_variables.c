#include "command/idle_variables.h"

#include <stdlib.h>
#include <string.h>

enum need { GUARD, NO_GUARD, PAGES, PAGES_AT_END, SAMPLE };

static const struct {
    const char* name;
    const char* value;  // with which it is told; NULL: every value but "0"
    enum need need;
} variables[] = {
    {"HAKMEM_GUARD_FILL", NULL, GUARD},
    {"HAKMEM_GUARD_DUMP", NULL, GUARD},
    {"HAKMEM_PAGES_ALIGN", NULL, PAGES_AT_END},
    {"HAKMEM_PAGES_MEMORY", NULL, PAGES},
    {"HAKMEM_ZERO", "free", NO_GUARD},
    {"HAKMEM_ZERO", "alloc", NO_GUARD},
    {"HAKMEM_SAMPLE", NULL, NO_GUARD},
    {"HAKMEM_ON_ERROR", "report", NO_GUARD},
    {"HAKMEM_CLOSE", "0", NO_GUARD},
    {"HAKMEM_SAMPLE_SLOTS", NULL, SAMPLE},
    {"HAKMEM_SAMPLE_DUMP", NULL, SAMPLE},
};

static const char* value_of(const char* name) {
    const char* value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

// Why it changes nothing; NULL: it does something.
static const char* reason(enum need need, const struct modes_in_force* modes) {
    const char* sample = value_of("HAKMEM_SAMPLE");
    switch (need) {
    case GUARD: return modes->guard ? NULL : "it needs --guard";
    case NO_GUARD: return modes->guard ? "guard mode does not heed it" : NULL;
    case PAGES: return modes->pages != NULL ? NULL : "it needs --pages";
    case PAGES_AT_END: return modes->pages != NULL && strcmp(modes->pages, "end") == 0 ? NULL : "it needs --pages=end";
    case SAMPLE: break;
    }
    return sample != NULL && strcmp(sample, "0") != 0 ? NULL : "it needs HAKMEM_SAMPLE";
}

void idle_variables_print(const struct modes_in_force* modes, FILE* out) {
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *value = value_of(variables[i].name), *told = variables[i].value;
        const char* why = reason(variables[i].need, modes);
        if (value == NULL || why == NULL) continue;
        bool is_told = told != NULL ? strcmp(value, told) == 0 : strcmp(value, "0") != 0;
        if (is_told) fprintf(out, "run: %s=%s did nothing: %s\n", variables[i].name, value, why);
    }
}
