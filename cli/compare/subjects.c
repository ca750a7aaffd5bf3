#include "compare/subjects.h"

#include "args/variables.h"
#include "base/error.h"
#include "base/nearest.h"
#include "binary/build_id.h"
#include "compare/package.h"
#include "worker/allocators.h"

#include <ctype.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct subject* find(struct comparison* comparison, const char* name, size_t length) {
    for (size_t i = 0; i < comparison->subject_count; i++) {
        struct subject* subject = &comparison->subjects[i];
        if (strlen(subject->name) == length && memcmp(subject->name, name, length) == 0) return subject;
    }
    return NULL;
}

static int unknown(const struct comparison* comparison, const char* option, const char* name) {
    struct nearest nearest = {.typed = name};
    for (size_t i = 0; i < comparison->subject_count; i++) nearest_offer(&nearest, comparison->subjects[i].name);
    if (nearest.best[0] == '\0')
        return usage_error("--%s: there is no allocator '%s' on this machine; see: hakstress list allocators", option,
                           name);
    return usage_error(
        "--%s: there is no allocator '%s' on this machine; did you mean '%s'? See: hakstress list allocators", option,
        name, nearest.best);
}

static void add_found(struct comparison* comparison) {
    struct allocator found[ALLOCATORS_MOST];
    size_t count = allocators_find(found);
    for (size_t i = 0; i < count; i++) {
        struct subject* subject = &comparison->subjects[comparison->subject_count++];
        snprintf(subject->name, sizeof subject->name, "%s", found[i].name);
        snprintf(subject->path, sizeof subject->path, "%s", found[i].path);
    }
}

// One more: --allocator NAME=FILE[,VARIABLE=VALUE...], where FILE may be the name of a known one; or
// NAME[,VARIABLE=VALUE...].

// The length of NAME in NAME=..., or 0 if the text does not begin like that.
static size_t variable_name(const char* text) {
    size_t length = 0;
    while (isalnum((unsigned char)text[length]) || text[length] == '_') length++;
    return text[length] == '=' && !isdigit((unsigned char)text[0]) ? length : 0;
}

// Up to the comma before the next variable, because values may contain commas.
static size_t value_length(const char* text) {
    for (const char* comma = strchr(text, ','); comma != NULL; comma = strchr(comma + 1, ','))
        if (variable_name(comma + 1) > 0) return (size_t)(comma - text);
    return strlen(text);
}

// Checks a variable of ours: the library would only warn of a wrong one, where nobody reads it.
static bool is_right(const char* setting, const char* whole) {
    char where[PATH_MAX], name[128];
    const size_t length = variable_name(setting);
    if (strncmp(setting, "HAKMEM_", 7) != 0) return true;
    snprintf(where, sizeof where, "--allocator %s: ", whole);
    snprintf(name, sizeof name, "%.*s", (int)length, setting);
    return variable_check(where, name, setting + length + 1);
}

// WORKER=PROGRAM is no variable: it names a worker that was built with another C library.
static int take_worker(struct subject* subject, const char* text, size_t length) {
    static const char key[] = "WORKER=";
    char typed[PATH_MAX];
    snprintf(typed, sizeof typed, "%.*s", (int)(length - (sizeof key - 1)), text + sizeof key - 1);
    if (realpath(typed, subject->worker) != NULL && access(subject->worker, X_OK) == 0) return STATUS_OK;
    return missing_error("cannot run the worker %s: %s", typed, strerror(errno));
}

static int take_variables(struct subject* subject, const char* text, const char* whole) {
    size_t count = 0;
    while (*text != '\0') {
        if (variable_name(text) == 0)
            return usage_error("--allocator %s: '%s' is not of the form VARIABLE=VALUE", whole, text);
        if (count == VARIABLES_MAX)
            return usage_error("--allocator %s: at most %d variables are possible", whole, VARIABLES_MAX);
        size_t length = value_length(text);
        const bool is_worker = strncmp(text, "WORKER=", 7) == 0;
        int status = is_worker ? take_worker(subject, text, length) : STATUS_OK;
        if (status != STATUS_OK) return status;
        if (is_worker) {
            text += text[length] == ',' ? length + 1 : length;
            continue;
        }
        subject->variables[count] = strndup(text, length);
        if (subject->variables[count] == NULL) return missing_error("out of memory");
        if (!is_right(subject->variables[count++], whole)) return STATUS_USAGE;
        text += text[length] == ',' ? length + 1 : length;
    }
    return STATUS_OK;
}

static int take_file(struct comparison* comparison, struct subject* subject, const char* file, size_t length) {
    char typed[PATH_MAX];
    const struct subject* known = find(comparison, file, length);
    if (length == 4 && memcmp(file, "libc", 4) == 0) return STATUS_OK;  // whatever C library the worker has
    if (known != NULL) {
        snprintf(subject->path, sizeof subject->path, "%s", known->path);
        return STATUS_OK;
    }
    snprintf(typed, sizeof typed, "%.*s", (int)length, file);
    if (realpath(typed, subject->path) == NULL)
        return missing_error("cannot find the library %s: %s", typed, strerror(errno));
    if (strpbrk(subject->path, " :") == NULL) return STATUS_OK;
    return missing_error("LD_PRELOAD cannot name %s: its path contains a space or a colon", subject->path);
}

static int take_one(struct comparison* comparison, const char* text) {
    if (comparison->subject_count == SUBJECTS_MAX) return usage_error("too many allocators: at most %d", SUBJECTS_MAX);
    struct subject* subject = &comparison->subjects[comparison->subject_count];
    size_t name = strcspn(text, "=,"), whole = strlen(text);
    bool named = text[name] == '=';
    const char* file = named ? text + name + 1 : text;
    size_t length = strcspn(file, ",");
    if (!named) name = whole;  // its options are part of its name
    if (name == 0 || length == 0 || name >= sizeof subject->name)
        return usage_error("--allocator must be NAME=FILE.so[,VARIABLE=VALUE...], not '%s'", text);
    if (find(comparison, text, name) != NULL)
        return usage_error("--allocator: there already is an allocator '%.*s'; use another name", (int)name, text);
    if (!named && find(comparison, file, length) == NULL) {
        char typed[128];
        snprintf(typed, sizeof typed, "%.*s", (int)length, file);
        return unknown(comparison, "allocator", typed);
    }
    *subject = (struct subject){.name = ""};
    snprintf(subject->name, sizeof subject->name, "%.*s", (int)name, text);
    int status = take_file(comparison, subject, file, length);
    comparison->subject_count++;  // so that its variables are freed
    return status != STATUS_OK || file[length] == '\0' ? status : take_variables(subject, file + length + 1, text);
}

// --allocators A,B,C

// The longest name at the start of the list, because names may contain commas. SUBJECTS_MAX: none.
static size_t name_at(const struct comparison* comparison, const char* list) {
    size_t best = SUBJECTS_MAX, longest = 0;
    for (size_t i = 0; i < comparison->subject_count; i++) {
        size_t length = strlen(comparison->subjects[i].name);
        bool fits =
            strncmp(list, comparison->subjects[i].name, length) == 0 && (list[length] == ',' || list[length] == '\0');
        if (!fits || length < longest) continue;
        best = i;
        longest = length;
    }
    return best;
}

static int choose(struct comparison* comparison, const char* list, bool chosen[SUBJECTS_MAX]) {
    if (*list == '\0') return usage_error("--allocators needs names: A,B,C; see: hakstress list allocators");
    for (const char* at = list; *at != '\0';) {
        size_t index = name_at(comparison, at);
        if (index == SUBJECTS_MAX) {
            char typed[128];
            snprintf(typed, sizeof typed, "%.*s", (int)strcspn(at, ","), at);
            return unknown(comparison, "allocators", typed);
        }
        chosen[index] = true;
        at += strlen(comparison->subjects[index].name);
        if (*at == ',' && *++at == '\0') return usage_error("--allocators ends with a comma");
    }
    return STATUS_OK;
}

static void free_variables(struct subject* subject) {
    for (size_t i = 0; subject->variables[i] != NULL; i++) free(subject->variables[i]);
}

static void keep_chosen(struct comparison* comparison, const bool chosen[SUBJECTS_MAX]) {
    size_t kept = 0;
    for (size_t i = 0; i < comparison->subject_count; i++) {
        if (!chosen[i])
            free_variables(&comparison->subjects[i]);
        else if (kept++ != i)
            comparison->subjects[kept - 1] = comparison->subjects[i];
    }
    comparison->subject_count = kept;
}

static int take_baseline(struct comparison* comparison, bool chosen[SUBJECTS_MAX]) {
    const char* name = comparison->baseline_name;
    const struct subject* baseline = find(comparison, name, strlen(name));
    if (baseline == NULL) return unknown(comparison, "baseline", name);
    chosen[baseline - comparison->subjects] = true;  // the others are compared with it
    return STATUS_OK;
}

static void describe(struct subject* subject) {
    if (subject->path[0] == '\0' && subject->worker[0] != '\0') {
        snprintf(subject->version, sizeof subject->version, "the C library of %s", strrchr(subject->worker, '/') + 1);
        return;
    }
    if (subject->path[0] == '\0') {
        snprintf(subject->version, sizeof subject->version, "glibc %s", gnu_get_libc_version());
        return;
    }
    build_id_of_file(subject->path, subject->build_id, sizeof subject->build_id);
    package_of_file(subject->path, subject->version, sizeof subject->version);
}

int subjects_take(const struct args* args, struct comparison* comparison) {
    bool chosen[SUBJECTS_MAX] = {false};
    const char *text, *list = args_text(args, "allocators");
    add_found(comparison);
    int status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && (text = args_given(args, "allocator", i)) != NULL; i++)
        status = take_one(comparison, text);
    for (size_t i = 0; list == NULL && i < SUBJECTS_MAX; i++) chosen[i] = true;
    if (status == STATUS_OK && list != NULL) status = choose(comparison, list, chosen);
    if (status == STATUS_OK) status = take_baseline(comparison, chosen);
    if (status != STATUS_OK) return status;
    keep_chosen(comparison, chosen);
    const char* name = comparison->baseline_name;
    comparison->baseline = (size_t)(find(comparison, name, strlen(name)) - comparison->subjects);
    for (size_t i = 0; i < comparison->subject_count; i++) {
        const struct subject* subject = &comparison->subjects[i];
        if (subject->worker[0] != '\0' && args->rest_count > 0)
            return usage_error("--allocator %s: WORKER= is for workloads, not for a command", subject->name);
        describe(&comparison->subjects[i]);
    }
    if (comparison->subject_count > 1) return STATUS_OK;
    return usage_error("there is only %s and nothing to compare it with; add one with --allocator NAME=FILE.so", name);
}

void subjects_free(struct comparison* comparison) {
    for (size_t i = 0; i < comparison->subject_count; i++) free_variables(&comparison->subjects[i]);
}
