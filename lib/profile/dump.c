#include "profile/dump.h"

#include "base/lock.h"
#include "base/text.h"
#include "config/options.h"
#include "os/os.h"
#include "profile/sampled_blocks.h"
#include "sample/module.h"
#include "stack/stack_table.h"
#include "stack/unwind.h"

#include <fcntl.h>

static HakLock dump_lock;
static _Atomic uint64_t next_ms;

void dump_begin(void) {
    store_relaxed(&next_ms, os_clock_ms() + (uint64_t)hak_option(profile_every));
}

// --- text, under dump_lock

enum { PIECE = 1 << 14, LINE = 64 * STACK_DEPTH_MAX };
static struct {
    Output to;
    size_t length;
    char text[PIECE];
} out = {.to = {.fd = -1}};

// The parent goes on with its dump, and the child, which may be in a handler that interrupted it, has no part in that.
void dump_after_fork(void) {
    hak_lock_in_child(&dump_lock, LOCK_NO_FORK);
    if (output_is_there(out.to)) output_close(out.to);
    out.to = OUTPUT_NOWHERE;
    out.length = 0;
}

static void flush(void) {
    output_write(out.to, out.text, out.length);
    out.length = 0;
}

// Whatever does not fit is cut.
static void count_text(size_t length) {
    size_t room = sizeof out.text - out.length;
    out.length += length < room ? length : room - 1;
}

#define PUT(...) count_text(text_format(out.text + out.length, sizeof out.text - out.length, __VA_ARGS__))

// Before each line: there is room for one of LINE bytes.
static void begin_line(void) {
    if (out.length > PIECE - LINE) flush();
}

// --- modules

enum { MODULES = 256 };
typedef struct {
    CodeModule module;
    uintptr_t bias, end;
} Seen;
static Seen seen[MODULES];
static uint32_t seen_count;

static void see(uintptr_t pc) {
    CodeModule module = module_of(pc);
    uint32_t i = 0;
    if (module.start == NULL) return;
    while (i < seen_count && seen[i].module.start != module.start) i++;
    if (i == MODULES) return;
    if (i == seen_count) seen[seen_count++] = (Seen){.module = module, .bias = pc - module.offset};
    if (seen[i].end <= pc) seen[i].end = pc + 1;
}

static void put_modules(void) {
    for (uint32_t i = 0; i < seen_count; i++) {
        const CodeModule* module = &seen[i].module;
        begin_line();
        PUT("module %lx %lx %lx ", (unsigned long)(uintptr_t)module->start, (unsigned long)seen[i].end,
            (unsigned long)seen[i].bias);
        for (uint32_t b = 0; b < module->id_length; b++) PUT("%02x", (unsigned)module->id[b]);
        PUT("%s %s", module->id_length ? "" : "-", module->path);
        begin_line();
        PUT("\n");
    }
}

// --- sites

static void put_site(const Site* site) {
    uintptr_t address[STACK_DEPTH_MAX];
    if (site == NULL || load_relaxed(&site->all_blocks) == 0) return;
    uint32_t count = stack_read(load_relaxed(&site->stack), address, STACK_DEPTH_MAX);
    begin_line();
    SiteShare live = site_live(site);
    PUT("site %ld %ld %ld %ld %ld %ld", (long)live.blocks, (long)live.bytes, (long)load_relaxed(&site->peak_blocks),
        (long)load_relaxed(&site->peak_bytes), (long)load_relaxed(&site->all_blocks),
        (long)load_relaxed(&site->all_bytes));
    for (uint32_t i = 0; i < count; i++) {
        see(address[i] - 1);
        PUT(" %lx", (unsigned long)address[i]);
    }
    PUT("\n");
}

static void put_all(const char* why) {
    seen_count = 0;
    PUT("hakmem-profile 1 pid=%u rate=%lld why=%s ms=%llu lost=%llu\n", os_process_id(),
        (long long)hak_option(profile_rate), why, (unsigned long long)os_clock_ms(),
        (unsigned long long)sampled_blocks_lost());
    for (uint32_t i = 0; i < sites_used(); i++) put_site(site_used(i));
    put_modules();
    begin_line();
    PUT("end\n");
    flush();
}

// --- when

static Output open_file(void) {
    static bool told;
    char path[2 * HAK_OPTION_TEXT_MAX];
    int error = 0;
    text_expand(path, sizeof path, hak_options.profile_file, (int)os_process_id());
    Output file = output_open_file(AT_FDCWD, path, &error);
    if (file.fd < 0 && !told) text_warn("libhakmem: HAKMEM_PROFILE_FILE: cannot open %s (error %d)\n", path, error);
    told |= file.fd < 0;
    return file;
}

static bool take_turn(bool waits) {
    enum { MOST = 20000 };  // a second
    for (int tries = 0; !hak_trylock(&dump_lock); tries++) {
        if (!waits || tries == MOST || hak_lock_is_mine(&dump_lock)) return false;
        os_wait(tries);
    }
    return true;
}

static void write_in_turn(const char* why, bool waits) {
    if (*hak_options.profile_file == '\0' || os_calls_are_forbidden() || !take_turn(waits)) return;
    Output file = open_file();
    if (file.fd >= 0) {
        out.to = file;
        put_all(why);
        out.to = OUTPUT_NOWHERE;  // before its number is free
        output_close(file);
    }
    hak_unlock(&dump_lock);
}

void dump_write(const char* why) {
    write_in_turn(why, false);
}

void dump_at_exit(void) {
    write_in_turn("exit", true);
}

void dump_if_due(void) {
    uint64_t every = (uint64_t)hak_option(profile_every), due = load_relaxed(&next_ms);
    if (every == 0) return;
    uint64_t now = os_clock_ms();
    if (now >= due && cas_relaxed(&next_ms, &due, now + every)) dump_write("periodic");
}
