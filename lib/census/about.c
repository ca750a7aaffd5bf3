#include "census/about.h"

#include "base/syscall.h"
#include "base/text.h"
#include "os/os.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

static int open_of(uint32_t process, const char* name) {
    char path[64];
    if (os_calls_are_forbidden()) return -1;
    if (process == 0)
        text_format(path, sizeof path, "/proc/self/%s", name);
    else
        text_format(path, sizeof path, "/proc/%u/%s", process, name);
    return (int)sys_call4(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
}

void about_close(int file) {
    if (file >= 0) sys_call3(SYS_close, file, 0, 0);  // the number is free afterwards, whatever the result
}

// The start of the file; text of length 0 if it cannot be read.
static void read_start(uint32_t process, const char* name, char* text, size_t size) {
    text[0] = '\0';
    int file = open_of(process, name);
    if (file < 0) return;
    long got = sys_call3(SYS_read, file, (long)text, (long)size - 1);
    text[sys_failed(got) ? 0 : got] = '\0';
    about_close(file);
}

static uint64_t number_at(const char* text) {
    uint64_t value = 0;
    while (*text == ' ' || *text == '\t') text++;
    for (; *text >= '0' && *text <= '9'; text++) value = value * 10 + (uint64_t)(*text - '0');
    return value;
}

// The number behind a word such as "VmHWM:".
static uint64_t number_behind(const char* text, const char* word) {
    for (; *text != '\0'; text++)
        if (text_begins(text, word)) return number_at(text + text_length(word));
    return 0;
}

// Milliseconds since the process began: field 22 of its line, in hundredths of a second since the machine's start. The
// command, field 2, may hold anything; the last bracket ends it.
static uint64_t uptime_from(const char* line) {
    enum { FIELD = 22, AFTER_COMMAND = 2 };
    struct timespec now = {0};
    const char* at = line;
    for (const char* c = line; *c != '\0'; c++)
        if (*c == ')') at = c;
    for (int field = AFTER_COMMAND; field < FIELD && *at != '\0'; at++) field += *at == ' ';
    uint64_t began = number_at(at) * 10;
    sys_call3(SYS_clock_gettime, CLOCK_BOOTTIME, (long)&now, 0);
    uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    return began != 0 && ms > began ? ms - began : 0;
}

void about_command(uint32_t process, char* out, size_t size) {
    read_start(process, "comm", out, size);
    out[text_until(out, '\n')] = '\0';
    for (; *out != '\0'; out++)
        if (*out < ' ' || *out > '~') *out = '?';
}

void about_process(uint32_t process, CensusRoom* room, Census* out) {
    about_command(process, out->command, sizeof out->command);
    read_start(process, "stat", room->text, sizeof room->text);
    out->uptime_ms = uptime_from(room->text);
    read_start(process, "status", room->text, sizeof room->text);
    out->resident_peak = number_behind(room->text, "VmHWM:") << 10;
    out->resident = number_behind(room->text, "VmRSS:") << 10;
    // Exact, where the former lags by some pages of each processor.
    read_start(process, "smaps_rollup", room->text, sizeof room->text);
    uint64_t exact = number_behind(room->text, "Rss:") << 10;
    if (exact != 0) out->resident = exact;
    if (out->resident_peak < out->resident) out->resident_peak = out->resident;
}

int about_open_pages(uint32_t process) {
    return open_of(process, "pagemap");
}

bool about_pages(int file, uint64_t address, uint32_t count, CensusRoom* room) {
    uint64_t* entries = room->entries;
    enum { IS_PRESENT = 63, IS_EXCLUSIVE = 56 };
    memset(room->pages, 0, sizeof room->pages);
    memset(room->unsure, 0, sizeof room->unsure);
    if (file < 0) return false;
    // The file has an entry for each page of the system, which may have several of ours.
    uint64_t page = os_page_bytes(), first = address / page;
    uint64_t wanted = (address + ((uint64_t)count << PAGE_SHIFT) - 1) / page - first + 1;
    long bytes = (long)(wanted * sizeof entries[0]);
    long got = sys_call4(SYS_pread64, file, (long)entries, bytes, (long)(first * sizeof entries[0]));
    if (got != bytes) return false;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t entry = entries[(address + ((uint64_t)i << PAGE_SHIFT)) / page - first];
        uint64_t present = entry >> IS_PRESENT, exclusive = entry >> IS_EXCLUSIVE & 1;
        room->pages[i / 64] |= present << (i % 64);
        room->unsure[i / 64] |= (present & ~exclusive) << (i % 64);
    }
    return true;
}

// --- smaps

typedef struct {
    char line[64];  // its start
    size_t length;
    uint64_t start, end;  // of the range that counts
    bool counts;          // the mapping does
    uint64_t bytes;
} Mappings;

static uint64_t hex_at(const char* text) {
    uint64_t value = 0;
    for (; (*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'f'); text++)
        value = value << 4 | (uint64_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
    return value;
}

// A mapping's first line begins with its address, and the others with a word in capitals.
static void end_line(Mappings* mappings) {
    char* line = mappings->line;
    line[mappings->length] = '\0';
    mappings->length = 0;
    if (*line >= 'A' && *line <= 'Z') {
        if (mappings->counts && text_begins(line, "Rss:"))
            mappings->bytes += number_at(line + text_length("Rss:")) << 10;
        return;
    }
    uint64_t at = hex_at(line);
    mappings->counts = at >= mappings->start && at < mappings->end;
}

static void add_text(Mappings* mappings, const char* text, long bytes) {
    for (long i = 0; i < bytes; i++) {
        if (text[i] == '\n')
            end_line(mappings);
        else if (mappings->length < sizeof mappings->line - 1)
            mappings->line[mappings->length++] = text[i];
    }
}

uint64_t about_resident(uint32_t process, CensusRoom* room, uint64_t start, uint64_t end) {
    enum { READS_MOST = 1 << 16 };
    Mappings mappings = {.start = start, .end = end};
    int file = open_of(process, "smaps");
    long got = -1;
    for (int i = 0; file >= 0 && i < READS_MOST; i++) {
        got = sys_call3(SYS_read, file, (long)room->text, sizeof room->text);
        if (sys_failed(got) || got == 0) break;
        add_text(&mappings, room->text, got);
    }
    about_close(file);
    return got == 0 ? mappings.bytes : UINT64_MAX;
}
