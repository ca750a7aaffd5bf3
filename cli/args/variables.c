#include "args/variables.h"

#include "base/error.h"
#include "base/nearest.h"
#include "config/sources.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "HAKMEM_"

// The library reads the environment in a constructor. This runs earlier and keeps it silent: variables_check reports
// instead.
static void silence_core(void) {
    hak_options_silent = true;
}
__attribute__((section(".preinit_array"), used)) static void (*const silence_core_first)(void) = silence_core;

static bool no_such_variable(const char* where, const char* name) {
    enum { COMMON = sizeof PREFIX - 1 };  // what all names begin with makes none nearer
    struct nearest nearest = {.typed = name + COMMON};
    for (unsigned i = 0; hak_option_info(i) != NULL; i++) nearest_offer(&nearest, hak_option_info(i)->name + COMMON);
    if (nearest.best[0] == '\0')
        usage_error("%sthere is no variable %s; see: hakstress list options", where, name);
    else
        usage_error("%sthere is no variable %s; did you mean " PREFIX "%s?", where, name, nearest.best);
    return false;
}

bool variable_check(const char* where, const char* name, const char* value) {
    char allowed[128];
    const HakOptionInfo* info = hak_option_named(name, strlen(name));
    if (info == NULL) return no_such_variable(where, name);
    if (*value == '\0' || hak_option_accepts(info, value)) return true;  // empty counts as not set
    hak_option_allowed(info, allowed, sizeof allowed);
    usage_error("%s%s must be %s%s, not '%s'", where, name, allowed, hak_option_suffix_hint(info), value);
    return false;
}

bool variables_check(void) {
    for (char** entry = environ; *entry != NULL; entry++) {
        char name[128];
        const char* equals = strchr(*entry, '=');
        if (strncmp(*entry, PREFIX, sizeof PREFIX - 1) != 0 || equals == NULL) continue;
        snprintf(name, sizeof name, "%.*s", (int)(equals - *entry), *entry);
        if (!variable_check("", name, equals + 1)) return false;
    }
    return true;
}
