#include "record/schedule.h"

#include "record/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

// --- writing

// A list's commas are written '+'.
static void add_list(Text* text, const char* name, const char* list) {
    if (list[0] == '\0') return;
    text_add(text, ",%s=", name);
    for (; *list; list++) text_add(text, "%c", *list == ',' ? '+' : *list);
}

static void add_deviation(Text* text, const Deviation* d) {
    text_add(text, ".%c%u", 'A' + d->thread, d->moment);
    if (d->kind == CHOOSE_THREAD)
        text_add(text, "%c", 'A' + d->value);
    else if (d->kind == CHOOSE_STORE)
        text_add(text, "~%u", d->value);
    else
        text_add(text, "%c", d->kind);
}

size_t replay_format(const Replay* replay, char* out, size_t size) {
    Text text = {out, size, 0};
    if (size) out[0] = '\0';
    text_add(&text, "%s", replay->scenario);
    for (uint32_t i = 0; i < replay->dropped_count; i++)
        text_add(&text, "-%c%u", 'A' + replay->dropped[i].thread, replay->dropped[i].op);
    text_add(&text, "@%s", replay->build);
    add_list(&text, "text", replay->text);
    add_list(&text, "changes", replay->changes);
    add_list(&text, "weaken", replay->weaken);
    if (replay->follow) text_add(&text, ",follow");
    text_add(&text, ":%c", 'A' + replay->schedule.first);
    for (uint32_t i = 0; i < replay->schedule.count; i++) add_deviation(&text, &replay->schedule.at[i]);
    if (replay->has_trace) text_add(&text, "#%08x", replay->trace);
    return text.length;
}

// --- reading

typedef struct {
    const char* at;
    const char* expected;
} Reader;

static bool expect(Reader* r, const char* what) {
    r->expected = what;
    return false;
}

static bool read_thread(Reader* r, uint8_t* thread) {
    if (*r->at < 'A' || *r->at >= 'A' + THREADS_MOST) return expect(r, "a thread, A to F");
    *thread = (uint8_t)(*r->at++ - 'A');
    return true;
}

static bool read_number(Reader* r, uint32_t most, uint32_t* number) {
    char* end;
    if (!isdigit((unsigned char)*r->at)) return expect(r, "a number");
    unsigned long value = strtoul(r->at, &end, 10);
    if (value > most) return expect(r, "a smaller number");
    r->at = end;
    *number = (uint32_t)value;
    return true;
}

static bool read_until(Reader* r, const char* stops, const char* what, char* out, size_t size) {
    size_t length = strcspn(r->at, stops);
    if (length == 0 || length >= size) return expect(r, what);
    memcpy(out, r->at, length);
    out[length] = '\0';
    r->at += length;
    return true;
}

// "-A2" at the end of a name leaves out an operation; other dashes are part of the name.
static bool is_dropped(const char* at) {
    if (at[0] != '-' || at[1] < 'A' || at[1] >= 'A' + THREADS_MOST || !isdigit((unsigned char)at[2])) return false;
    at += 2 + strspn(at + 2, "0123456789");
    return *at == '@' || is_dropped(at);
}

static bool read_scenario(Reader* r, Replay* replay) {
    size_t length = 0;
    while (r->at[length] && r->at[length] != '@' && !is_dropped(r->at + length)) length++;
    if (length == 0 || length >= sizeof replay->scenario) return expect(r, "the name of a scenario");
    memcpy(replay->scenario, r->at, length);
    replay->scenario[length] = '\0';
    r->at += length;
    while (*r->at == '-') {
        uint32_t op;
        r->at++;
        if (replay->dropped_count == DROPPED_MOST) return expect(r, "fewer operations that are left out");
        DroppedOp* dropped = &replay->dropped[replay->dropped_count++];
        if (!read_thread(r, &dropped->thread) || !read_number(r, UINT16_MAX, &op)) return false;
        dropped->op = (uint16_t)op;
    }
    return true;
}

static bool read_list(Reader* r, const char* name, char* out, size_t size) {
    size_t length = strlen(name);
    if (r->at[0] != ',' || strncmp(r->at + 1, name, length) != 0 || r->at[1 + length] != '=') return true;
    r->at += length + 2;
    if (!read_until(r, ",:", "a list", out, size)) return false;
    for (char* c = out; *c; c++)
        if (*c == '+') *c = ',';
    return true;
}

static bool read_follow(Reader* r, Replay* replay) {
    static const char word[] = ",follow";
    replay->follow = strncmp(r->at, word, sizeof word - 1) == 0;
    if (replay->follow) r->at += sizeof word - 1;
    return true;
}

static bool read_build(Reader* r, Replay* replay) {
    if (*r->at != '@') return expect(r, "'@' and a build");
    r->at++;
    return read_until(r, ",:", "a build", replay->build, sizeof replay->build) &&
           read_list(r, "text", replay->text, sizeof replay->text) &&
           read_list(r, "changes", replay->changes, sizeof replay->changes) &&
           read_list(r, "weaken", replay->weaken, sizeof replay->weaken) && read_follow(r, replay);
}

static bool read_deviation(Reader* r, Schedule* schedule) {
    Deviation d = {.value = 1};
    uint32_t value;
    r->at++;
    if (schedule->count == DEVIATIONS_MOST) return expect(r, "fewer deviations");
    if (!read_thread(r, &d.thread) || !read_number(r, UINT32_MAX, &d.moment)) return false;
    switch (*r->at) {
    case CHOOSE_STORE:
        r->at++;
        if (!read_number(r, UINT8_MAX, &value)) return false;
        d.kind = CHOOSE_STORE;
        d.value = (uint8_t)value;
        break;
    case CHOOSE_FAILURE:
    case CHOOSE_TIME:
    case CHOOSE_BRANCH: d.kind = (uint8_t)*r->at++; break;
    default:
        d.kind = CHOOSE_THREAD;
        if (!read_thread(r, &d.value)) return expect(r, "a thread, or one of ~ ! % ^");
    }
    schedule->at[schedule->count++] = d;
    return true;
}

static bool read_all(Reader* r, Replay* replay) {
    if (!read_scenario(r, replay) || !read_build(r, replay)) return false;
    if (*r->at != ':') return expect(r, "':' and a schedule");
    r->at++;
    if (!read_thread(r, &replay->schedule.first)) return false;
    while (*r->at == '.')
        if (!read_deviation(r, &replay->schedule)) return false;
    if (*r->at == '#') {
        char* end;
        replay->trace = (uint32_t)strtoul(r->at + 1, &end, 16);
        if (end != r->at + 9) return expect(r, "eight hexadecimal digits");
        replay->has_trace = true;
        r->at = end;
    }
    return *r->at == '\0' || expect(r, "'.' and a deviation, or the end");
}

bool replay_parse(const char* text, Replay* replay, const char** at, const char** expected) {
    Reader r = {text, ""};
    memset(replay, 0, sizeof *replay);
    bool ok = read_all(&r, replay);
    *at = r.at;
    *expected = r.expected;
    return ok;
}

// --- changing

void schedule_remove(Schedule* schedule, uint32_t index) {
    memmove(&schedule->at[index], &schedule->at[index + 1], (schedule->count - index - 1) * sizeof *schedule->at);
    schedule->count--;
}

uint32_t schedule_switches(const Schedule* schedule) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < schedule->count; i++) count += schedule->at[i].kind == CHOOSE_THREAD;
    return count;
}
