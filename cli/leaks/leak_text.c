#include "leaks/leak_text.h"

#include "base/json.h"
#include "leaks/leak_places.h"
#include "leaks/wrappers.h"

#include <stdlib.h>
#include <string.h>

enum { STACKS_SHOWN = 20, CALLERS_SHOWN = 6, WRAPPERS_SHOWN = 4, CALL_TEXT = 700 };

struct amount {
    long long blocks, bytes;
};

static struct amount amount_of(const json_t* object, const char* class) {
    const json_t* sum = json_object_get(object, class);
    return (struct amount){json_get_whole(sum, "blocks"), json_get_whole(sum, "bytes")};
}

static struct amount lost_of(const json_t* stack) {
    struct amount definite = amount_of(stack, "definite"), indirect = amount_of(stack, "indirect");
    return (struct amount){definite.blocks + indirect.blocks, definite.bytes + indirect.bytes};
}

static bool is_told(const json_t* stack) {
    return json_get_text(stack, "suppressed") == NULL && !json_get_bool(stack, "known");
}

// "200 bytes in 2 blocks"
static void print_amount(struct amount amount, FILE* out) {
    fprintf(out, "%lld byte%s in %lld block%s", amount.bytes, amount.bytes == 1 ? "" : "s", amount.blocks,
            amount.blocks == 1 ? "" : "s");
}

// Sums

struct sums {
    struct amount definite, indirect, suppressed, known;
};

static void add(struct amount* to, struct amount more) {
    to->blocks += more.blocks;
    to->bytes += more.bytes;
}

static struct sums sums_of(const json_t* leaks) {
    const json_t* unlisted = json_object_get(leaks, "unlisted");
    struct sums sums = {.definite = amount_of(unlisted, "definite"), .indirect = amount_of(unlisted, "indirect")};
    size_t i;
    json_t* stack;
    json_array_foreach(json_object_get(leaks, "stacks"), i, stack) {
        if (json_get_text(stack, "suppressed") != NULL)
            add(&sums.suppressed, lost_of(stack));
        else if (json_get_bool(stack, "known"))
            add(&sums.known, lost_of(stack));
        else {
            add(&sums.definite, amount_of(stack, "definite"));
            add(&sums.indirect, amount_of(stack, "indirect"));
        }
    }
    return sums;
}

bool leak_text_is_new(const json_t* leaks) {
    struct sums sums = sums_of(leaks);
    return sums.definite.blocks + sums.indirect.blocks > 0;
}

static void print_sums(const json_t* leaks, FILE* out) {
    struct sums sums = sums_of(leaks);
    long long processes = json_get_whole(leaks, "processes_searched");
    fputs("run: definitely lost: ", out);
    print_amount(sums.definite, out);
    fputs("; indirectly lost: ", out);
    print_amount(sums.indirect, out);
    fputs("; still reachable: ", out);
    print_amount(amount_of(leaks, "reachable"), out);
    if (processes > 1) fprintf(out, "; %lld processes", processes);
    fputc('\n', out);
    if (sums.known.blocks == 0) return;
    fputs("run: known from the baseline, and not shown: ", out);
    print_amount(sums.known, out);
    fputc('\n', out);
}

static void print_suppressions(const json_t* leaks, FILE* out) {
    size_t i;
    json_t* one;
    json_array_foreach(json_object_get(leaks, "suppressions"), i, one) {
        struct amount amount = {json_get_whole(one, "blocks"), json_get_whole(one, "bytes")};
        if (amount.blocks == 0) continue;
        fputs("run: suppressed: ", out);
        print_amount(amount, out);
        fprintf(out, ", by leak:%s (%s:%lld)\n", json_get_text_or(one, "pattern", ""),
                json_get_text_or(one, "file", ""), json_get_whole(one, "line"));
    }
}

// Stacks

static void print_class(const json_t* stack, const char* class, const char* words, const char** before, FILE* out) {
    struct amount amount = amount_of(stack, class);
    if (amount.blocks == 0) return;
    fputs(*before, out);
    print_amount(amount, out);
    fprintf(out, " %s", words);
    *before = ", ";
}

static const char* name_of(const struct leak_call* call, char* buffer, size_t size) {
    const char* function = leak_call_function(call);
    if (function != NULL) return function;
    leak_call_text(call, false, buffer, size);
    return buffer;
}

// The wrappers between a caller and the allocation, the outermost first.
static void print_wrappers(const struct leak_call* calls, size_t count, FILE* out) {
    char buffer[CALL_TEXT];
    for (size_t i = 0; i < count && i < WRAPPERS_SHOWN; i++)
        fprintf(out, "%s%s", i == 0 ? ", through " : ", ", name_of(&calls[count - 1 - i], buffer, sizeof buffer));
    if (count > WRAPPERS_SHOWN) fprintf(out, " and %zu more", count - WRAPPERS_SHOWN);
}

// Where the calls end that are of interest: what called main or the first function of a thread is not.
static size_t own_end(const struct leak_call* calls, size_t count, size_t from) {
    for (size_t i = 0; i < count; i++) {
        const char* function = leak_call_function(&calls[i]);
        if (function != NULL && strcmp(function, "main") == 0) return i + 1;
    }
    while (count > from && is_system_call(&calls[count - 1])) count--;
    return count;
}

static void print_stack(const json_t* leaks, const json_t* stack, FILE* out) {
    struct leak_call calls[LEAK_CALLS_MAX];
    char text[CALL_TEXT];
    const char* before = "  ";
    size_t count = leak_calls(leaks, stack, calls), from = (size_t)json_get_whole(stack, "shown_from");
    print_class(stack, "definite", "definitely lost", &before, out);
    print_class(stack, "indirect", "indirectly lost", &before, out);
    print_class(stack, "reachable", "still reachable", &before, out);
    if (json_get_whole(stack, "processes") > 1) fprintf(out, ", in %lld processes", json_get_whole(stack, "processes"));
    fputs("; by ", out);
    if (from >= count) {
        fputs("an unknown caller\n", out);
        return;
    }
    leak_call_text(&calls[from], true, text, sizeof text);
    fputs(text, out);
    print_wrappers(calls, from, out);
    fputc('\n', out);
    count = own_end(calls, count, from + 1);
    for (size_t i = from + 1; i < count && i <= from + CALLERS_SHOWN; i++) {
        leak_call_text(&calls[i], true, text, sizeof text);
        fprintf(out, "      called from %s\n", text);
    }
}

// Modules of which no function is known, for reports that are made elsewhere.
static void note_nameless(const json_t* stack, json_t* nameless) {
    size_t i;
    json_t* frame;
    json_array_foreach(json_object_get(stack, "frames"), i, frame) {
        char key[32];
        if (json_array_size(json_object_get(frame, "calls")) > 0) continue;
        snprintf(key, sizeof key, "%lld", json_get_whole(frame, "module"));
        json_object_set_new(nameless, key, json_true());
    }
}

static void print_nameless(const json_t* leaks, json_t* nameless, FILE* out) {
    const char* key;
    json_t* value;
    bool some = false;
    json_object_foreach(nameless, key, value) {
        const json_t* module = json_array_get(json_object_get(leaks, "modules"), strtoul(key, NULL, 10));
        const char* build_id = json_get_text(module, "build_id");
        if (build_id == NULL) continue;
        fprintf(out, "  %s %s, build id %s\n", some ? "and" : "no names for", json_get_text_or(module, "path", ""),
                build_id);
        some = true;
    }
    if (some)
        fputs("  with its debug information, hakstress report FILE names them: FILE is this run's JSON file\n", out);
}

static bool is_shown(const json_t* stack) {
    return is_told(stack) && lost_of(stack).blocks + amount_of(stack, "reachable").blocks > 0;
}

static void print_unlisted(const json_t* leaks, FILE* out) {
    struct amount unlisted = lost_of(json_object_get(leaks, "unlisted"));
    if (unlisted.blocks == 0) return;
    fputs("  ", out);
    print_amount(unlisted, out);
    fputs(" lost by stacks beyond the first 5000 of a process, which are not listed\n", out);
}

static void print_stacks(const json_t* leaks, FILE* out) {
    size_t i, shown = 0, more = 0;
    json_t *stack, *nameless = json_object();
    json_array_foreach(json_object_get(leaks, "stacks"), i, stack) {
        if (!is_shown(stack)) continue;
        if (shown == STACKS_SHOWN) {
            more++;
            continue;
        }
        shown++;
        print_stack(leaks, stack, out);
        note_nameless(stack, nameless);
    }
    if (more > 0) fprintf(out, "  %zu more stack%s in the JSON file\n", more, more == 1 ? " is" : "s are");
    print_unlisted(leaks, out);
    print_nameless(leaks, nameless, out);
    json_decref(nameless);
}

void leak_text_print(const json_t* leaks, bool brief, FILE* out) {
    if (brief && !leak_text_is_new(leaks)) return;
    print_sums(leaks, out);
    if (brief) return;
    print_suppressions(leaks, out);
    print_stacks(leaks, out);
}
