#include "scenario/scenario.h"

#include "config/options.h"

#include <ctype.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZES_MOST = 16, REPEATS_MOST = 4096, WHAT_MOST = 256 };

typedef struct {
    const char* file;
    unsigned line;
    const char* at;
    Scenario* scenario;
    struct {
        char name[NAME_MOST];
        uint64_t bytes;
    } sizes[SIZES_MOST];
    unsigned size_count;
    unsigned first_thread_line;
    bool is_made[BLOCKS_MOST];   // some operation makes the block
    bool is_there[BLOCKS_MOST];  // after the setup so far
    bool is_gone[BLOCKS_MOST];   // some operation frees or moves it
    unsigned used_in_line[BLOCKS_MOST];
    char* message;
    size_t message_size;
} Parser;

// --- words

static bool is_word_character(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

// Of UTF-8: not its first byte.
static bool is_within_character(char byte) {
    return ((unsigned char)byte & 0xc0) == 0x80;
}

static void skip_blanks(Parser* p) {
    while (*p->at == ' ' || *p->at == '\t' || *p->at == '\r') p->at++;
}

static bool at_end(Parser* p) {
    skip_blanks(p);
    return *p->at == '\0' || *p->at == '\n' || *p->at == '#';
}

static bool expected(Parser* p, const char* format, ...) __attribute__((format(printf, 2, 3)));
static bool expected(Parser* p, const char* format, ...) {
    char what[WHAT_MOST], found[24];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    size_t length = strcspn(p->at, " \t\r\n,:*");
    if (length == 0 && *p->at != '\0' && *p->at != '\n') length = 1;
    snprintf(found, sizeof found, "%.*s", (int)(length < sizeof found ? length : sizeof found - 1), p->at);
    if (at_end(p) && *p->at != '#')
        snprintf(p->message, p->message_size, "%s:%u: expected %s at the end of the line", p->file, p->line, what);
    else
        snprintf(p->message, p->message_size, "%s:%u: expected %s, not '%s'", p->file, p->line, what, found);
    return false;
}

static bool wrong(Parser* p, unsigned line, const char* format, const char* word) {
    char what[WHAT_MOST];
    snprintf(what, sizeof what, format, word);
    snprintf(p->message, p->message_size, "%s:%u: %s", p->file, line, what);
    return false;
}

static bool read_word(Parser* p, const char* what, char out[NAME_MOST]) {
    skip_blanks(p);
    size_t length = 0;
    while (is_word_character(p->at[length])) length++;
    if (length == 0 || length >= NAME_MOST) return expected(p, "%s", what);
    memcpy(out, p->at, length);
    out[length] = '\0';
    p->at += length;
    return true;
}

static bool read_character(Parser* p, char c, const char* what) {
    skip_blanks(p);
    if (*p->at != c) return expected(p, "%s", what);
    p->at++;
    return true;
}

static bool read_number(Parser* p, const char* what, uint64_t least, uint64_t most, uint64_t* out) {
    skip_blanks(p);
    const char* start = p->at;
    char* end;
    if (!isdigit((unsigned char)*p->at)) return expected(p, "%s", what);
    *out = strtoull(p->at, &end, 10);
    const unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : 0;
    end += shift != 0;
    p->at = end;
    const bool wraps = *out > UINT64_MAX >> shift;
    *out <<= shift;
    if (!wraps && *out >= least && *out <= most && !is_word_character(*end)) return true;
    p->at = start;
    return expected(p, "%s from %lu to %lu", what, (unsigned long)least, (unsigned long)most);
}

static bool read_thread(Parser* p, uint8_t* out) {
    skip_blanks(p);
    if (*p->at < 'A' || *p->at >= 'A' + THREADS_MOST || is_word_character(p->at[1]))
        return expected(p, "a thread, A to %c", 'A' + THREADS_MOST - 1);
    *out = (uint8_t)(*p->at++ - 'A');
    return true;
}

// A number of bytes, or a name that a line "size" gave.
static bool read_size(Parser* p, uint64_t* out) {
    enum { BYTES_MOST = 16 << 20 };
    skip_blanks(p);
    if (isdigit((unsigned char)*p->at)) return read_number(p, "a size", 1, BYTES_MOST, out);
    const char* start = p->at;
    char name[NAME_MOST];
    if (!read_word(p, "a size, or a name from a line 'size'", name)) return false;
    for (unsigned i = 0; i < p->size_count; i++)
        if (strcmp(p->sizes[i].name, name) == 0) {
            *out = p->sizes[i].bytes;
            return true;
        }
    p->at = start;
    return expected(p, "a size, or a name from a line 'size'");
}

// --- operations

static bool block_of(Parser* p, const char* name, uint8_t* out) {
    Scenario* s = p->scenario;
    for (unsigned b = 0; b < s->block_count; b++)
        if (strcmp(s->block_name[b], name) == 0) {
            *out = (uint8_t)b;
            return true;
        }
    if (s->block_count == BLOCKS_MOST) return wrong(p, p->line, "there are too many blocks; '%s' is one more", name);
    snprintf(s->block_name[s->block_count], NAME_MOST, "%s", name);
    *out = (uint8_t)s->block_count++;
    return true;
}

static bool read_block(Parser* p, uint8_t* out) {
    char name[NAME_MOST];
    if (!read_word(p, "a block", name) || !block_of(p, name, out)) return false;
    p->used_in_line[*out] = p->line;
    return true;
}

static bool find_operation(const char* word, uint8_t* kind) {
    for (unsigned k = 0; k < OP_COUNT; k++)
        if (strcmp(op_forms[k].word, word) == 0) {
            *kind = (uint8_t)k;
            return true;
        }
    return false;
}

static bool expected_operation(Parser* p) {
    char words[WHAT_MOST] = "";
    size_t used = 0;
    for (unsigned k = 0; k < OP_COUNT; k++)
        used += (size_t)snprintf(words + used, sizeof words - used, "%s%s", k ? ", " : "", op_forms[k].word);
    return expected(p, "an operation (%s)", words);
}

static bool read_operands(Parser* p, Op* op, bool named) {
    const char* form = op_forms[op->kind].form;
    if (named && *form != '=') return wrong(p, p->line, "'%s' makes no block", op_forms[op->kind].word);
    for (; *form; form++) {
        uint8_t* block = op->kind == OP_REALLOC ? &op->old : &op->block;
        if (*form == 's' && !read_size(p, &op->size)) return false;
        if (*form == 'b' && !read_block(p, block)) return false;
        if (*form == 'n' && !read_number(p, "a number", 1, 1000000, &op->size)) return false;
        if (*form == 't' && !read_thread(p, &op->thread)) return false;
    }
    return true;
}

// "NAME=" before an operation.
static bool read_made(Parser* p, Op* op, bool* named) {
    const char* start = p->at;
    char name[NAME_MOST];
    *named = false;
    op->block = BLOCKS_MOST;
    if (!isalpha((unsigned char)*p->at) || !read_word(p, "a block", name)) return true;
    skip_blanks(p);
    if (*p->at != '=') {
        p->at = start;
        return true;
    }
    p->at++;
    *named = true;
    if (!block_of(p, name, &op->block)) return false;
    if (p->is_made[op->block]) return wrong(p, p->line, "block '%s' is made twice", name);
    p->is_made[op->block] = true;
    return true;
}

static bool read_op(Parser* p, Op* op) {
    char word[NAME_MOST];
    uint64_t count = 1;
    bool named;
    *op = (Op){0};
    skip_blanks(p);
    if (!read_made(p, op, &named)) return false;
    skip_blanks(p);
    if (isdigit((unsigned char)*p->at)) {
        if (!read_number(p, "a number", 1, REPEATS_MOST, &count) || !read_character(p, '*', "'*'")) return false;
        if (named && count > 1) return wrong(p, p->line, "%s", "a block with a name is made once");
    }
    op->count = (uint32_t)count;
    skip_blanks(p);
    const char* start = p->at;
    if (!read_word(p, "an operation", word)) return false;
    if (!find_operation(word, &op->kind)) {
        p->at = start;
        return expected_operation(p);
    }
    if (count > 1 && *op_forms[op->kind].form != '=')
        return wrong(p, p->line, "'%s' is done once; malloc and calloc can be repeated", word);
    if (op->kind == OP_REALLOC && !named) return wrong(p, p->line, "%s", "the block that realloc returns needs a name");
    return read_operands(p, op, named);
}

// The setup does its operations one after the other, so nobody waits for a block. Nothing is chosen in it.
static bool take_in_setup(Parser* p, const Op* op) {
    const bool takes = op->kind == OP_FREE || op->kind == OP_TOUCH || op->kind == OP_REALLOC;
    const uint8_t taken = op->kind == OP_REALLOC ? op->old : op->block;
    if (op->kind == OP_START)
        return wrong(p, p->line, "%s", "a thread starts another one in its program, not in the setup");
    if (op->kind == OP_FORK || op->kind == OP_COPY || op->kind == OP_FAIL)
        return wrong(p, p->line, "'%s' belongs into the program of a thread, not into the setup",
                     op_forms[op->kind].word);
    if (takes && !p->is_there[taken])
        return wrong(p, p->line, "the setup has no block '%s' at this place", p->scenario->block_name[taken]);
    if (takes) p->is_there[taken] = false;
    if (op->kind != OP_FREE && op->block < BLOCKS_MOST) p->is_there[op->block] = true;
    return true;
}

// Who came second would wait for ever.
static bool take_once(Parser* p, const Op* op) {
    if (op->kind != OP_FREE && op->kind != OP_REALLOC) return true;
    const uint8_t taken = op->kind == OP_REALLOC ? op->old : op->block;
    if (p->is_gone[taken])
        return wrong(p, p->line, "block '%s' is freed, or given to realloc, twice", p->scenario->block_name[taken]);
    p->is_gone[taken] = true;
    return true;
}

// A setup is one thread at a time, so it is certain what is not mapped.
static bool take_in_program(Parser* p, const Op* op) {
    if (op->kind != OP_OCCUPY) return true;
    return wrong(p, p->line, "'%s' belongs into the setup, not into the program of a thread", op_forms[op->kind].word);
}

static bool read_ops(Parser* p, Op* ops, uint32_t most, uint32_t* count, uint8_t thread) {
    do {
        Op op;
        if (*count == most) return wrong(p, p->line, "%s", "there are too many operations");
        if (!read_op(p, &op)) return false;
        if (!(ops == p->scenario->setup ? take_in_setup(p, &op) : take_in_program(p, &op))) return false;
        if (!take_once(p, &op)) return false;
        if (op.kind == OP_START)
            p->scenario->begins[op.thread] = false;
        else
            op.thread = thread;
        ops[(*count)++] = op;
        skip_blanks(p);
    } while (*p->at == ',' && p->at++);
    return at_end(p) || expected(p, "',' or the end of the line");
}

// --- lines

static void use_thread(Parser* p, uint8_t thread) {
    if (thread + 1u > p->scenario->thread_count) p->scenario->thread_count = thread + 1u;
}

static bool line_size(Parser* p) {
    char* name = p->sizes[p->size_count].name;
    if (p->size_count == SIZES_MOST) return wrong(p, p->line, "%s", "there are too many sizes");
    if (!read_word(p, "a name", name)) return false;
    for (unsigned i = 0; i < p->size_count; i++)
        if (strcmp(p->sizes[i].name, name) == 0) return wrong(p, p->line, "size '%s' is given twice", name);
    return read_size(p, &p->sizes[p->size_count].bytes) && ++p->size_count &&
           (at_end(p) || expected(p, "the end of the line"));
}

static bool line_setup(Parser* p) {
    uint8_t thread;
    Scenario* s = p->scenario;
    if (!read_thread(p, &thread) || !read_character(p, ':', "':'")) return false;
    use_thread(p, thread);
    if (p->first_thread_line) return wrong(p, p->line, "%s", "the setup comes before the threads");
    return read_ops(p, s->setup, SETUP_OPS_MOST, &s->setup_count, thread);
}

static bool line_thread(Parser* p) {
    uint8_t thread;
    Scenario* s = p->scenario;
    if (!read_thread(p, &thread) || !read_character(p, ':', "':'")) return false;
    use_thread(p, thread);
    if (p->first_thread_line == 0) p->first_thread_line = p->line;
    return read_ops(p, s->op[thread], OPS_MOST, &s->op_count[thread], thread);
}

static const HakOptionInfo* option_named(const char* name) {
    char whole[NAME_MOST + sizeof "HAKMEM_"];
    int length = snprintf(whole, sizeof whole, "HAKMEM_%s", name);
    return hak_option_named(whole, (size_t)length);
}

// The changes that are in are part of a schedule's string. The other options are of what is not explored.
#define EXPLORED_OPTION "the name of an option that is explored, as TINY_FAST_CAP"

static bool is_explored_option(const char* name) {
    static const char* const names[] = {"TINY_USE_SUPERSLAB",
                                        "TINY_SS_ADOPT",
                                        "TINY_FAST_CAP",
                                        "DEBUG_OWNERSHIP",
                                        "LINKS",
                                        "CLOSE",
                                        "ZERO",
                                        "PURGE_MS",
                                        "RESERVE",
                                        "THP",
                                        "LIMIT"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

static bool line_set(Parser* p) {
    Scenario* s = p->scenario;
    if (s->setting_count == SETTINGS_MOST) return wrong(p, p->line, "%s", "there are too many settings");
    char(*setting)[NAME_MOST] = s->setting[s->setting_count];
    skip_blanks(p);
    const char* start = p->at;
    if (!read_word(p, EXPLORED_OPTION, setting[0])) return false;
    const HakOptionInfo* info = option_named(setting[0]);
    if (info == NULL || !is_explored_option(setting[0])) {
        p->at = start;
        return expected(p, EXPLORED_OPTION);
    }
    for (unsigned i = 0; i < s->setting_count; i++)
        if (strcmp(s->setting[i][0], setting[0]) == 0) return wrong(p, p->line, "option %s is set twice", setting[0]);
    skip_blanks(p);
    size_t length = strcspn(p->at, " \t\r\n#");
    if (length == 0 || length >= NAME_MOST) return expected(p, "a value");
    memcpy(setting[1], p->at, length);
    setting[1][length] = '\0';
    if (!hak_option_accepts(info, setting[1])) return expected(p, "a value that HAKMEM_%s takes", setting[0]);
    p->at += length;
    s->setting_count++;
    return at_end(p) || expected(p, "the end of the line");
}

static bool line_failures(Parser* p) {
    uint64_t count;
    if (!read_number(p, "a number", 1, 8, &count)) return false;
    p->scenario->failures = (uint32_t)count;
    return at_end(p) || expected(p, "the end of the line");
}

// "search preemptions N stale N"; either may be missing.
static bool line_search(Parser* p) {
    char what[NAME_MOST];
    do {
        uint64_t value;
        skip_blanks(p);
        const char* start = p->at;
        if (!read_word(p, "'preemptions' or 'stale'", what)) return false;
        const bool stale = strcmp(what, "stale") == 0;
        if (!stale && strcmp(what, "preemptions") != 0) {
            p->at = start;
            return expected(p, "'preemptions' or 'stale'");
        }
        if (!read_number(p, "a number", 0, stale ? STALE_MOST : PREEMPTIONS_MOST, &value)) return false;
        *(stale ? &p->scenario->stale : &p->scenario->preemptions) = (uint32_t)value;
    } while (!at_end(p));
    return true;
}

static bool is_step(const char* word) {
    static const char* const names[] = {
#define PROTOCOL_STEP(name, words) #name,
#include "observe/steps.def"
#undef PROTOCOL_STEP
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], word) == 0) return true;
    return false;
}

static bool is_bound_word(const char* word) {
    static const char* const words[] = {BOUND_WORDS};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i], word) == 0) return true;
    return is_step(word);
}

static bool read_bound(Parser* p, bool least) {
    static const char what[] = "'slabs', 'superslabs', 'dirty', 'mapped', 'calls', 'looking' or the name of a step";
    char word[NAME_MOST];
    Scenario* s = p->scenario;
    skip_blanks(p);
    const char* start = p->at;
    if (!read_word(p, what, word)) return false;
    if (!is_bound_word(word)) {
        p->at = start;
        return expected(p, "%s", what);
    }
    if (s->bound_count == SCENARIO_BOUNDS_MOST) return wrong(p, p->line, "%s", "there are too many bounds");
    Bound* bound = &s->bound[s->bound_count++];
    snprintf(bound->what, sizeof bound->what, "%.11s", word);
    bound->least = least;
    return read_number(p, "how many", least, 1000000, &bound->number) &&
           (at_end(p) || expected(p, "the end of the line"));
}

static bool line_bound(Parser* p) {
    return read_bound(p, false);
}

static bool line_reach(Parser* p) {
    return read_bound(p, true);
}

// "expect BLOCK at|off|in|outside BLOCK".
static bool line_expect(Parser* p) {
    Scenario* s = p->scenario;
    char how[NAME_MOST];
    if (s->placement_count == PLACEMENTS_MOST) return wrong(p, p->line, "%s", "there are too many expectations");
    Placement* placement = &s->placement[s->placement_count++];
    if (!read_block(p, &placement->block)) return false;
    skip_blanks(p);
    const char* start = p->at;
    if (!read_word(p, "'at', 'off', 'in' or 'outside'", how)) return false;
    while (placement->how < PLACED_COUNT && strcmp(placed_words[placement->how], how) != 0) placement->how++;
    if (placement->how == PLACED_COUNT) {
        p->at = start;
        return expected(p, "'at', 'off', 'in' or 'outside'");
    }
    return read_block(p, &placement->other) && (at_end(p) || expected(p, "the end of the line"));
}

static bool read_line(Parser* p) {
    static const struct {
        const char* word;
        bool (*read)(Parser* p);
    } lines[] = {{"size", line_size},   {"setup", line_setup},       {"thread", line_thread},
                 {"set", line_set},     {"failures", line_failures}, {"bound", line_bound},
                 {"reach", line_reach}, {"expect", line_expect},     {"search", line_search}};
    char word[NAME_MOST];
    skip_blanks(p);
    const char* start = p->at;
    if (*p->at == '#' && p->scenario->about[0] == '\0' && p->scenario->thread_count == 0) {
        const char* text = p->at + 1 + strspn(p->at + 1, " ");
        size_t length = strcspn(text, "\r\n"), most = sizeof p->scenario->about - 1;
        if (length > most) length = most;
        while (length > 0 && is_within_character(text[length])) length--;
        memcpy(p->scenario->about, text, length);
    }
    if (at_end(p)) return true;
    if (read_word(p, "size, setup, thread, set, failures, bound, reach, expect or search", word))
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
            if (strcmp(lines[i].word, word) == 0) return lines[i].read(p);
    p->at = start;
    return expected(p, "size, setup, thread, set, failures, bound, reach, expect or search");
}

// Marks the threads that thread t starts, and those that these start.
static void follow_starts(const Scenario* s, unsigned t, bool* is_started) {
    is_started[t] = true;
    for (uint32_t i = 0; i < s->op_count[t]; i++)
        if (s->op[t][i].kind == OP_START && !is_started[s->op[t][i].thread])
            follow_starts(s, s->op[t][i].thread, is_started);
}

static bool check_starts(Parser* p) {
    const Scenario* s = p->scenario;
    bool is_started[THREADS_MOST] = {false};
    for (unsigned t = 0; t < s->thread_count; t++)
        if (s->begins[t]) follow_starts(s, t, is_started);
    for (unsigned t = 0; t < s->thread_count; t++) {
        const char name[] = {(char)('A' + t), '\0'};
        if (!is_started[t])
            return wrong(p, p->line, "thread %s never starts; a thread that begins has to start it", name);
    }
    return true;
}

static bool check_whole(Parser* p) {
    const Scenario* s = p->scenario;
    if (p->line == 0) p->line = 1;  // a file without any
    if (s->thread_count == 0 || p->first_thread_line == 0) return wrong(p, p->line, "%s", "expected a line 'thread'");
    for (unsigned b = 0; b < s->block_count; b++)
        if (!p->is_made[b]) return wrong(p, p->used_in_line[b], "no operation makes block '%s'", s->block_name[b]);
    return check_starts(p);
}

bool scenario_parse(const char* name, const char* text, Scenario* scenario, char* message, size_t size) {
    *scenario = (Scenario){.preemptions = PREEMPTIONS_USUAL};
    Parser p = {.file = name, .at = text, .scenario = scenario, .message = message, .message_size = size};
    for (unsigned t = 0; t < THREADS_MOST; t++) scenario->begins[t] = true;
    while (*p.at) {
        p.line++;
        if (!read_line(&p)) return false;
        p.at += strcspn(p.at, "\n");
        if (*p.at == '\n') p.at++;
    }
    return check_whole(&p);
}

// --- files

// A name is part of a schedule's string, and of lines that are read word by word.
static bool name_from_path(const char* path, char out[SCENARIO_NAME_MOST]) {
    static const char suffix[] = ".scenario";
    const char* last = strrchr(path, '/');
    const char* name = last ? last + 1 : path;
    size_t length = 0;
    while (is_word_character(name[length])) length++;
    if (length == 0 || length >= SCENARIO_NAME_MOST) return false;
    if (name[length] != '\0' && strcmp(name + length, suffix) != 0) return false;
    memcpy(out, name, length);
    out[length] = '\0';
    return true;
}

// The story has the text in JSON, which is UTF-8.
static bool is_utf8(const char* text, size_t length) {
    json_t* string = json_stringn(text, length);
    json_decref(string);
    return string != NULL;
}

bool scenario_read(const char* path, Scenario* scenario, char* message, size_t size) {
    enum { BYTES_MOST = 65536 };
    static char text[BYTES_MOST];
    FILE* file = fopen(path, "r");
    if (file == NULL) {
        snprintf(message, size, "%s: cannot be read", path);
        return false;
    }
    size_t length = fread(text, 1, sizeof text - 1, file);
    const bool unreadable = ferror(file) != 0;
    fclose(file);
    if (unreadable) {
        snprintf(message, size, "%s: cannot be read", path);
        return false;
    }
    text[length] = '\0';
    if (length == sizeof text - 1 || strlen(text) != length || !is_utf8(text, length)) {
        snprintf(message, size, "%s: expected a text in UTF-8 of less than %d bytes", path, BYTES_MOST);
        return false;
    }
    if (!scenario_parse(path, text, scenario, message, size)) return false;
    if (name_from_path(path, scenario->name)) return true;
    snprintf(message, size, "%s: expected a file name of letters, digits and '_', at most %d of them, and '.scenario'",
             path, SCENARIO_NAME_MOST - 1);
    return false;
}
