#include "report/fault_log.h"

#include "base/json.h"
#include "binary/build_id.h"
#include "report/code_place.h"
#include "report/frame_text.h"
#include "report/verdict_checks.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char sign[] = "hakmem: ";

// --- reading

// The word behind " key=" of a line; "" if there is none.
static void copy_word(const char* line, const char* key, char* out, size_t size) {
    char wanted[32];
    snprintf(wanted, sizeof wanted, " %s=", key);
    const char* at = strstr(line, wanted);
    at = at != NULL ? at + strlen(wanted) : "";
    snprintf(out, size, "%.*s", (int)strcspn(at, " "), at);
}

static uint64_t number_of(const char* line, const char* key) {
    char word[32];
    copy_word(line, key, word, sizeof word);
    return strtoull(word, NULL, 0);
}

static json_t* last_of(const json_t* list) {
    size_t count = json_array_size(list);
    return count > 0 ? json_array_get(list, count - 1) : NULL;
}

static void add_fault(json_t* faults, const char* line) {
    char check[64], site[64];
    json_t* fault = json_object();
    copy_word(line, "check", check, sizeof check);
    copy_word(line, "site", site, sizeof site);
    json_put_text(fault, "check", check);
    json_put_text(fault, "site", site);
    json_put_text(fault, "line", line);
    const char* cause = verdict_cause_of_check(check);
    if (cause != NULL) json_put_text(fault, "cause", cause);
    json_object_set_new(fault, "stacks", json_array());
    json_array_append_new(faults, fault);
}

// The stack to which a line belongs: the last one, unless a frame 0 or another word begins a new one.
static json_t* stack_of(json_t* stacks, const char* line) {
    char what[32], thread[32];
    copy_word(line, "stack", what, sizeof what);
    copy_word(line, "thread", thread, sizeof thread);
    json_t* last = last_of(stacks);
    bool same = last != NULL && strcmp(json_get_text_or(last, "stack", ""), what) == 0;
    if (same && number_of(line, "frame") != 0) return last;
    json_t* stack = json_object();
    json_put_text(stack, "stack", what);
    json_put_text(stack, "thread", thread);
    json_object_set_new(stack, "frames", json_array());
    json_array_append_new(stacks, stack);
    return stack;
}

// NULL: the file is the build that the process had, as far as anybody can tell.
static json_t* problem_of(const char* module, const char* id) {
    char found[BUILD_ID_TEXT_MAX];
    if (strcmp(id, "-") == 0 || id[0] == '\0') return NULL;
    if (!build_id_of_file(module, found, sizeof found)) return json_format("%s is gone, or has no build id", module);
    if (strcmp(found, id) == 0) return NULL;
    return json_format("%s is another build now: the log's has build id %s, the file %s", module, id, found);
}

// All addresses but that of the instruction itself are return addresses.
static void add_frame(json_t* stack, const char* line) {
    char id[BUILD_ID_TEXT_MAX];
    const char* module = strstr(line, " module=");
    module = module != NULL ? module + strlen(" module=") : "?";
    copy_word(line, "build_id", id, sizeof id);
    json_t* frames = json_object_get(stack, "frames");
    bool exact = json_array_size(frames) == 0 && strcmp(json_get_text_or(stack, "stack", ""), "access") == 0;
    json_t* problem = problem_of(module, id);
    json_t* frame = code_place_in(module, problem == NULL, number_of(line, "pc"), number_of(line, "offset"), !exact);
    json_put_text(frame, "build_id", id);
    if (problem != NULL) json_object_set_new(frame, "problem", problem);
    json_array_append_new(frames, frame);
}

static void read_line(json_t* faults, const char* line) {
    char check[64], stack[32];
    copy_word(line, "check", check, sizeof check);
    copy_word(line, "stack", stack, sizeof stack);
    if (check[0] != '\0')
        add_fault(faults, line);
    else if (stack[0] != '\0' && json_array_size(faults) > 0)
        add_frame(stack_of(json_object_get(last_of(faults), "stacks"), line), line);
}

json_t* fault_log_read(FILE* log) {
    json_t *report = json_object(), *faults = json_array();
    char* line = NULL;
    size_t size = 0;
    while (getline(&line, &size, log) >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        const char* at = strstr(line, sign);
        if (at != NULL) read_line(faults, at);
    }
    free(line);
    json_put_text(report, "kind", "fault_log");
    json_put_whole(report, "schema", FAULT_LOG_SCHEMA);
    json_object_set_new(report, "faults", faults);
    return report;
}

// --- text

static const char* title_of(const char* what) {
    static const char* const titles[][2] = {{"access", "the access was"},
                                            {"call", "the call was"},
                                            {"allocated", "the block was allocated"},
                                            {"freed", "the block was freed"}};
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        if (strcmp(what, titles[i][0]) == 0) return titles[i][1];
    return what;
}

static void print_thread(const char* thread, FILE* out) {
    static const char system[] = "system:";
    bool other = strncmp(thread, system, strlen(system)) == 0;
    fprintf(out, " in %sthread %s", other ? "system " : "", other ? thread + strlen(system) : thread);
}

static void print_stack(const json_t* stack, FILE* out) {
    const json_t* frames = json_object_get(stack, "frames");
    const char* told = "";
    size_t i;
    json_t* frame;
    fputs(title_of(json_get_text_or(stack, "stack", "")), out);
    print_thread(json_get_text_or(stack, "thread", "?"), out);
    fputs(":\n", out);
    json_array_foreach(frames, i, frame) {
        const char* problem = json_get_text_or(frame, "problem", "");
        frame_print(i, frame, out);
        if (problem[0] != '\0' && strcmp(problem, told) != 0) fprintf(out, "       %s\n", problem);
        told = problem;
    }
}

void fault_log_print(const json_t* report, FILE* out) {
    size_t i, n;
    json_t *fault, *stack;
    json_array_foreach(json_object_get(report, "faults"), i, fault) {
        fprintf(out, "%s%s\n", i > 0 ? "\n" : "", json_get_text_or(fault, "line", ""));
        const char* cause = json_get_text(fault, "cause");
        const json_t* stacks = json_object_get(fault, "stacks");
        if (cause != NULL) fprintf(out, "what it means: %s\n", cause);
        json_array_foreach(stacks, n, stack) print_stack(stack, out);
        if (cause != NULL && json_array_size(stacks) == 0)
            fputs("the line has no stacks; for stacks of the block, run: hakstress run --guard -- COMMAND\n", out);
    }
}
