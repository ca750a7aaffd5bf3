#include "compare/sweep.h"

#include "base/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Values

static int add_value(struct sweep* sweep, const char* text, size_t length) {
    if (sweep->count == ROWS_MAX)
        return usage_error("--sweep %s has too many values: at most %d", sweep->name, ROWS_MAX);
    char* value = strndup(text, length);
    if (value == NULL) return missing_error("out of memory");
    for (size_t i = 0; i < sweep->count; i++) {
        if (strcmp(sweep->values[i], value) != 0) continue;
        int status = usage_error("--sweep %s has the value '%s' twice", sweep->name, value);
        free(value);
        return status;
    }
    sweep->values[sweep->count++] = value;
    return STATUS_OK;
}

// LOW..HIGH, LOW..HIGH+STEP or LOW..HIGH*FACTOR.
struct range {
    uint64_t low, high, step;
    bool multiplies;
};

static bool is_range(const char* text, size_t length, struct range* range) {
    char item[64], by = '+';
    int low_end = 0, end = 0;
    *range = (struct range){.step = 1};
    if (length >= sizeof item) return false;
    snprintf(item, sizeof item, "%.*s", (int)length, text);
    if (strspn(item, "0123456789.+*") != length || item[0] < '0' || item[0] > '9') return false;
    if (sscanf(item, "%18" SCNu64 "..%n", &range->low, &low_end) != 1 || low_end == 0) return false;
    if (item[low_end] < '0' || item[low_end] > '9') return false;
    int found = sscanf(item + low_end, "%18" SCNu64 "%n%c%18" SCNu64 "%n", &range->high, &end, &by, &range->step, &end);
    range->multiplies = by == '*';
    return (found == 1 || (found == 3 && (by == '+' || by == '*'))) && item[low_end + end] == '\0';
}

static int add_range(struct sweep* sweep, const char* text, size_t length, const struct range* range) {
    char number[24];
    bool grows = range->multiplies ? range->low > 0 && range->step > 1 : range->step > 0;
    if (range->low > range->high || !grows)
        return usage_error("--sweep %s: the range '%.*s' has to go up: LOW..HIGH, LOW..HIGH+STEP or LOW..HIGH*FACTOR",
                           sweep->name, (int)length, text);
    for (uint64_t at = range->low; at <= range->high;) {
        int written = snprintf(number, sizeof number, "%" PRIu64, at);
        int status = add_value(sweep, number, (size_t)written);
        if (status != STATUS_OK) return status;
        if (range->multiplies ? at > range->high / range->step : range->step > range->high - at) break;
        at = range->multiplies ? at * range->step : at + range->step;
    }
    return STATUS_OK;
}

static int take_values(struct sweep* sweep, const char* text) {
    int status = STATUS_OK;
    for (const char* at = text; status == STATUS_OK; at++) {
        struct range range;
        size_t length = strcspn(at, ",");
        if (length == 0) return usage_error("--sweep %s: a value is missing in '%s'", sweep->name, text);
        status = is_range(at, length, &range) ? add_range(sweep, at, length, &range) : add_value(sweep, at, length);
        at += length;
        if (*at == '\0') break;
    }
    return status;
}

int sweep_take(const struct args* args, struct comparison* comparison) {
    struct sweep* sweep = &comparison->sweep;
    const char* text = args_text(args, "sweep");
    if (text == NULL) return STATUS_OK;
    if (args_given(args, "sweep", 1) != NULL) return usage_error("only one --sweep can be given");
    const char* equals = strchr(text, '=');
    size_t length = equals != NULL ? (size_t)(equals - text) : 0;
    if (length == 0 || length >= sizeof sweep->name) return usage_error("--sweep takes NAME=A,B,C, not '%s'", text);
    if (args->operand_count == 0 && args->rest_count == 0)
        return usage_error("--sweep needs a workload that has the parameter, or a command with {%.*s}", (int)length,
                           text);
    memcpy(sweep->name, text, length);
    if (strcmp(sweep->name, "threads") == 0 && args_source(args, "threads") == FROM_COMMAND_LINE)
        return usage_error("--sweep sets the threads; leave out --threads");
    return take_values(sweep, equals + 1);
}

bool sweep_is_of(const struct sweep* sweep, const char* setting) {
    size_t length = strlen(sweep->name);
    return sweep->count > 0 && strncmp(setting, sweep->name, length) == 0 && setting[length] == '=';
}

// Commands

// A copy of the text with each {NAME} replaced; NULL: out of memory.
static char* replaced(const struct sweep* sweep, const char* text, const char* value, size_t* places) {
    char mark[sizeof sweep->name + 2], *out = NULL;
    size_t bytes = 0;
    FILE* file = open_memstream(&out, &bytes);
    if (file == NULL) return NULL;
    snprintf(mark, sizeof mark, "{%s}", sweep->name);
    for (const char* next; (next = strstr(text, mark)) != NULL; text = next + strlen(mark)) {
        fprintf(file, "%.*s%s", (int)(next - text), text, value);
        ++*places;
    }
    bool written = fputs(text, file) >= 0;
    if (fclose(file) == 0 && written) return out;
    free(out);
    return NULL;
}

static bool replace_shell(const struct sweep* sweep, const char* command, const char* value, char** out,
                          size_t* places) {
    if (command == NULL) return true;
    *out = replaced(sweep, command, value, places);
    return *out != NULL;
}

static bool replace_in_row(const struct comparison* comparison, struct row* row, size_t* places) {
    const struct sweep* sweep = &comparison->sweep;
    row->own_words = calloc((size_t)comparison->command_count + 1, sizeof *row->own_words);
    for (int i = 0; row->own_words != NULL && i < comparison->command_count; i++) {
        row->own_words[i] = replaced(sweep, comparison->command[i], row->swept, places);
        if (row->own_words[i] == NULL) return false;
    }
    row->command = row->own_words;
    return row->own_words != NULL && replace_shell(sweep, comparison->prepare, row->swept, &row->own_prepare, places) &&
           replace_shell(sweep, comparison->cleanup, row->swept, &row->own_cleanup, places);
}

int sweep_command(struct comparison* comparison) {
    const struct sweep* sweep = &comparison->sweep;
    const struct row first = comparison->rows[0];
    for (size_t i = 0; i < sweep->count; i++) {
        struct row* row = &comparison->rows[i];
        size_t places = 0;
        *row = first;
        row->swept = sweep->values[i];
        comparison->row_count = i + 1;
        snprintf(row->name, sizeof row->name, "%.*s:%s=%.*s", NAME_MAX, first.name, sweep->name, NAME_MAX, row->swept);
        if (!replace_in_row(comparison, row, &places)) return missing_error("out of memory");
        row->prepare = row->own_prepare;
        row->cleanup = row->own_cleanup;
        if (places == 0) return usage_error("{%s} occurs nowhere in the command", sweep->name);
    }
    return STATUS_OK;
}

void sweep_free(struct comparison* comparison) {
    for (size_t i = 0; i < ROWS_MAX; i++) {
        struct row* row = &comparison->rows[i];
        for (char** word = row->own_words; word != NULL && *word != NULL; word++) free(*word);
        free(row->own_words);
        free(row->own_prepare);
        free(row->own_cleanup);
    }
    for (size_t i = 0; i < comparison->sweep.count; i++) free(comparison->sweep.values[i]);
}
