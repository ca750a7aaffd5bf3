#include "leaks/wrappers.h"

#include "base/json.h"
#include "base/path.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

// Shell patterns; upper and lower case are the same.
static const char* const wrapper_names[] = {
    "*alloc*",    "*strdup*",  "*strndup*",    "*memdup*",      "*asprintf*",     "operator new*",     "std::*",
    "__gnu_cxx*", "g_slice_*", "g_new*",       "PyObject_New*", "_PyObject_New*", "_PyObject_GC_New*", "PyMem_New*",
    "*_strdup",   "*dupstr*",  "*savestring*", "get_mem",       "getmem*",        "*new_mem*",
};

// Modules whose functions serve others.
static const char* const system_modules[] = {"libc.so*",   "libc-*.so*",    "libstdc++.so*",
                                             "libc++.so*", "libc++abi.so*", "libgcc_s.so*",
                                             "ld-linux*",  "libhakmem*",    "libm.so*"};

enum { NAME_MAX_BYTES = 256 };

// Names

// The name alone, of a C++ function that is written with its type and parameters.
static void plain_name(const char* function, char* out, size_t size) {
    static const char anonymous[] = "(anonymous namespace)";
    const char *start = function, *at = function;
    int depth = 0;
    if (strstr(function, "operator new") != NULL) start = strstr(function, "operator new");
    for (at = start; *at != '\0'; at++) {
        if (strncmp(at, anonymous, sizeof anonymous - 1) == 0)
            at += sizeof anonymous - 2;
        else if (*at == '<')
            depth++;
        else if (*at == '>')
            depth--;
        else if (*at == '(' && depth <= 0)
            break;
        else if (*at == ' ' && depth <= 0 && strncmp(start, "operator new", 12) != 0)
            start = at + 1;
    }
    snprintf(out, size, "%.*s", (int)(at - start), start);
}

static bool matches_any(const char* name, const char* const* patterns, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (fnmatch(patterns[i], name, FNM_CASEFOLD) == 0) return true;
    return false;
}

static bool matches_list(const char* name, const char* list) {
    while (list != NULL && *list != '\0') {
        char pattern[NAME_MAX_BYTES];
        size_t length = strcspn(list, ",");
        snprintf(pattern, sizeof pattern, "%.*s", (int)length, list);
        if (length > 0 && fnmatch(pattern, name, FNM_CASEFOLD) == 0) return true;
        list += length + (list[length] == ',');
    }
    return false;
}

bool is_system_module(const char* path) {
    return matches_any(path_file_name(path), system_modules, sizeof system_modules / sizeof system_modules[0]);
}

bool is_system_call(const struct leak_call* call) {
    return is_system_module(call->module);
}

bool is_wrapper_name(const char* function, const char* more) {
    char name[NAME_MAX_BYTES];
    plain_name(function, name, sizeof name);
    return matches_list(name, more) || matches_any(name, wrapper_names, sizeof wrapper_names / sizeof wrapper_names[0]);
}

static bool is_wrapper(const struct leak_call* call, const char* more) {
    const char* function = leak_call_function(call);
    if (is_system_call(call)) return true;
    if (function == NULL) return false;
    return json_get_bool(call->call, "passes_size") || is_wrapper_name(function, more);
}

// A helper of a function with such a name, as `static void* get(size)` below xmalloc. Debug information would tell its
// type. Without that, its caller tells.
static bool is_helper(const struct leak_call* calls, size_t count, size_t i, const char* more) {
    const char* caller = i + 1 < count ? leak_call_function(&calls[i + 1]) : NULL;
    bool is_known = json_object_get(calls[i].call, "file") != NULL;
    return caller != NULL && !is_known && !is_system_call(&calls[i + 1]) && is_wrapper_name(caller, more) &&
           strcmp(calls[i].module, calls[i + 1].module) == 0;
}

// If all calls only pass on, the innermost one of the program is shown.
static size_t first_own(const struct leak_call* calls, size_t count) {
    size_t i = 0;
    while (i < count && is_system_call(&calls[i])) i++;
    return i < count ? i : 0;
}

static size_t shown_by_names(const struct leak_call* calls, size_t count, const char* more) {
    size_t i = 0;
    while (i < count && (is_wrapper(&calls[i], more) || is_helper(calls, count, i, more))) i++;
    return i < count && !is_system_call(&calls[i]) ? i : first_own(calls, count);
}

// Functions that many call

static void note_use(json_t* uses, const char* function, const char* caller, json_int_t size) {
    char text[32];
    json_t* use = json_object_get(uses, function);
    if (use == NULL) {
        use = json_pack("{s:{}, s:{}}", "callers", "sizes");
        json_object_set_new(uses, function, use);
    }
    snprintf(text, sizeof text, "%lld", (long long)size);
    json_object_set_new(json_object_get(use, "callers"), caller, json_true());
    json_object_set_new(json_object_get(use, "sizes"), text, json_true());
}

static json_int_t block_size(const json_t* stack) {
    const json_t *definite = json_object_get(stack, "definite"), *indirect = json_object_get(stack, "indirect");
    json_int_t blocks = json_get_whole(definite, "blocks") + json_get_whole(indirect, "blocks");
    json_int_t bytes = json_get_whole(definite, "bytes") + json_get_whole(indirect, "bytes");
    return blocks > 0 ? bytes / blocks : 0;
}

static bool is_passed_through(const json_t* uses, const char* function) {
    enum { CALLERS_LEAST = 3 };
    const json_t* use = json_object_get(uses, function);
    return json_object_size(json_object_get(use, "callers")) >= CALLERS_LEAST &&
           json_object_size(json_object_get(use, "sizes")) >= CALLERS_LEAST;
}

static json_t* find_uses(const json_t* leaks) {
    struct leak_call calls[LEAK_CALLS_MAX];
    json_t *uses = json_object(), *stack;
    size_t i;
    json_array_foreach(json_object_get(leaks, "stacks"), i, stack) {
        size_t count = leak_calls(leaks, stack, calls), from = (size_t)json_get_whole(stack, "shown_from");
        json_int_t size = block_size(stack);
        if (size == 0 || from + 1 >= count) continue;
        const char *function = leak_call_function(&calls[from]), *caller = leak_call_function(&calls[from + 1]);
        if (function != NULL && caller != NULL) note_use(uses, function, caller, size);
    }
    return uses;
}

// Goes one call outwards where the function shown is called by many. true: somewhere it did.
static bool go_outwards(json_t* leaks, const char* more) {
    struct leak_call calls[LEAK_CALLS_MAX];
    bool some = false;
    json_t *uses = find_uses(leaks), *stack;
    size_t i;
    json_array_foreach(json_object_get(leaks, "stacks"), i, stack) {
        size_t count = leak_calls(leaks, stack, calls), from = (size_t)json_get_whole(stack, "shown_from");
        const char* function = from + 1 < count ? leak_call_function(&calls[from]) : NULL;
        if (function == NULL || strcmp(function, "main") == 0 || !is_passed_through(uses, function)) continue;
        size_t next = from + 1;
        while (next < count && is_wrapper(&calls[next], more)) next++;
        if (next == count) continue;
        json_put_count(stack, "shown_from", next);
        some = true;
    }
    json_decref(uses);
    return some;
}

void wrappers_find(json_t* leaks, const char* more) {
    enum { ROUNDS = 4 };
    struct leak_call calls[LEAK_CALLS_MAX];
    json_t* stack;
    size_t i;
    json_array_foreach(json_object_get(leaks, "stacks"), i, stack) {
        size_t count = leak_calls(leaks, stack, calls);
        json_put_count(stack, "shown_from", shown_by_names(calls, count, more));
    }
    for (int round = 0; round < ROUNDS && go_outwards(leaks, more); round++) continue;
}
