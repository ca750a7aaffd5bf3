#include "os/cgroup.h"

#include "base/text.h"
#include "os/lines.h"

#include <string.h>

// --- files

static OsLines lines;
static char line[1024];
static char path[768];

static bool open_lines(void) {
    int error;
    return os_lines_open(&lines, path, &error);
}

// Reads the next line into `line`, cut if it is too long. false: there is none.
static bool next_line(void) {
    size_t length;
    return os_lines_next(&lines, line, sizeof line, &length);
}

// --- texts

// Whether `word` is in `list`: words between commas, up to the first blank, colon or zero.
static bool is_listed(const char* list, const char* word) {
    size_t length = text_length(word);
    for (const char* at = list;;) {
        size_t here = 0;
        while (at[here] && at[here] != ',' && at[here] != ':' && at[here] != ' ') here++;
        if (here == length && memcmp(at, word, length) == 0) return true;
        if (at[here] != ',') return false;
        at += here + 1;
    }
}

// Field n (0 is the first) of a line whose fields are separated by one blank each.
static char* field(char* text, unsigned n) {
    for (; n > 0 && *text; text++) n -= *text == ' ';
    return text;
}

static uint64_t number(const char* text) {
    uint64_t value = 0;
    if (*text < '0' || *text > '9') return UINT64_MAX;  // "max"
    for (; *text >= '0' && *text <= '9'; text++) value = value * 10 + (uint64_t)(*text - '0');
    return value >= UINT64_C(1) << 62 ? UINT64_MAX : value;  // how version 1 writes "no limit"
}

// --- the group

// Writes the group's path within its hierarchy to `own`, from a line such as "4:memory:/a/b", or "0::/a/b" (version 2).
static bool find_path(const char* root, char* own, size_t size, bool* unified) {
    bool found = false;
    text_format(path, sizeof path, "%s/proc/self/cgroup", root);
    if (!open_lines()) return false;
    *unified = true;
    while (*unified && next_line()) {
        const char* controllers = line + text_until(line, ':');
        if (*controllers == '\0') continue;
        controllers++;
        const char* place = controllers + text_until(controllers, ':');
        bool second = text_begins(line, "0::"), first = !second && is_listed(controllers, "memory");
        if (*place == '\0' || !(first || second)) continue;
        found = text_format(own, size, "%s", place + 1) < size;
        *unified = !first;  // memory is in version 1 if that lists it at all
    }
    os_lines_close(&lines);
    return found;
}

// Whether a line of mountinfo is that mount: "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw".
static bool is_mount_of(char* text, bool unified) {
    char* type = text;
    while (*type && !text_begins(type, " - ")) type++;
    if (*type == '\0') return false;
    type += 3;
    if (unified) return text_begins(type, "cgroup2 ");
    return text_begins(type, "cgroup ") && is_listed(field(type, 2), "memory");
}

static bool set_folder(Cgroup* group, const char* root, char* mount, const char* own) {
    char *from = field(mount, 3), *at = field(mount, 4);
    from[text_until(from, ' ')] = '\0';
    at[text_until(at, ' ')] = '\0';
    if (text_same(from, "/")) *from = '\0';
    // If the group lies outside of what is mounted, only the mount point can be seen.
    const char* below = text_begins(own, from) ? own + text_length(from) : "";
    if (text_same(below, "/")) below = "";
    group->top = text_length(root) + text_length(at);
    return text_format(group->folder, sizeof group->folder, "%s%s%s", root, at, below) < sizeof group->folder;
}

bool cgroup_find(Cgroup* group, const char* root) {
    static char own[512];
    bool found = false;
    group->folder[0] = '\0';
    if (!find_path(root, own, sizeof own, &group->unified)) return false;
    text_format(path, sizeof path, "%s/proc/self/mountinfo", root);
    if (!open_lines()) return false;
    while (!found && next_line()) found = is_mount_of(line, group->unified) && set_folder(group, root, line, own);
    os_lines_close(&lines);
    if (!found) group->folder[0] = '\0';
    return found;
}

static uint64_t read_number(const Cgroup* group, size_t length, const char* file) {
    text_format(path, sizeof path, "%s", group->folder);
    if (length >= sizeof path) return UINT64_MAX;
    text_format(path + length, sizeof path - length, "/%s", file);
    if (!open_lines()) return UINT64_MAX;
    uint64_t value = next_line() ? number(line) : UINT64_MAX;
    os_lines_close(&lines);
    return value;
}

CgroupRoom cgroup_room(const Cgroup* group) {
    CgroupRoom least = {UINT64_MAX, UINT64_MAX};
    for (size_t length = text_length(group->folder); length >= group->top && length > 0; length--) {
        if (length > group->top && group->folder[length] != '\0' && group->folder[length] != '/') continue;
        uint64_t limit = read_number(group, length, group->unified ? "memory.max" : "memory.limit_in_bytes");
        uint64_t high = group->unified ? read_number(group, length, "memory.high") : UINT64_MAX;
        if (high < limit) limit = high;
        if (limit == UINT64_MAX) continue;
        uint64_t used = read_number(group, length, group->unified ? "memory.current" : "memory.usage_in_bytes");
        if (used == UINT64_MAX) continue;
        uint64_t room = used < limit ? limit - used : 0;
        if (room < least.room) least = (CgroupRoom){limit, room};
    }
    return least;
}
