// HAKMEM_STATS: what is opened at load, and where statistics go at exit. Between the two a program may change its
// folder, its root, its user and its limits, close every descriptor, and fork.
//
//   file       opened at load where HAKMEM_STATS_FILE is set, so that none of this comes in its way
//   folder     with %p in the file's name alone: a child of fork has another name, and opens it there when it exits.
//              Not without need: who breaks into a process that has shut itself into a folder gets out by a descriptor
//              of another one
//   duplicate  of descriptor 2, without a file or where it could not be opened, which is said at once, while somebody
//              may read it. Only then: a reader of stderr waits for the end of all that hold it open
#include "base/output.h"
#include "base/text.h"
#include "config/options.h"
#include "front/stats.h"
#include "os/os.h"
#include "thread/operation.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { STATS_NONE, STATS_TEXT, STATS_JSON };
enum { PATH_BYTES = 2 * HAK_OPTION_TEXT_MAX };

static bool started;
static struct {
    char pattern[HAK_OPTION_TEXT_MAX];  // the name that the file was opened by
    uint32_t process;
    Output file;
    Output folder;
    Output duplicate;
} kept = {.file = {.fd = -1}, .folder = {.fd = -1}, .duplicate = {.fd = -1}};

// --- names

static bool has_number(const char* pattern) {
    while (*pattern != '\0' && !text_begins(pattern, "%p")) pattern++;
    return *pattern != '\0';
}

// Behind the last slash.
static const char* name_in_folder(const char* path) {
    const char* name = path;
    for (; *path != '\0'; path++)
        if (*path == '/') name = path + 1;
    return name;
}

static void expand(char path[PATH_BYTES], const char* pattern) {
    text_expand(path, PATH_BYTES, pattern, (int)os_process_id());
}

// --- at load

// None where the folder's own name has a number.
static Output open_folder_of(const char* pattern) {
    char folder[HAK_OPTION_TEXT_MAX];
    size_t length = (size_t)(name_in_folder(pattern) - pattern);
    if (length == 0) return output_open_folder(".");
    memcpy(folder, pattern, length);
    folder[length] = '\0';
    return has_number(folder) ? OUTPUT_NOWHERE : output_open_folder(folder);
}

static void warn_file(Output to, const char* pattern, int error) {
    char path[PATH_BYTES];
    expand(path, pattern);
    text_tell(to, "libhakmem: HAKMEM_STATS_FILE: cannot open %s (error %d)\n", path, error);
}

static bool open_at_load(const char* pattern) {
    char path[PATH_BYTES];
    int error;
    text_format(kept.pattern, sizeof kept.pattern, "%s", pattern);
    kept.process = os_process_id();
    expand(path, pattern);
    kept.file = output_open_file(AT_FDCWD, path, &error);
    if (kept.file.fd < 0)
        warn_file(output_stderr_at_load(), pattern, error);
    else if (has_number(name_in_folder(pattern)))
        kept.folder = open_folder_of(pattern);
    return kept.file.fd >= 0;
}

void hak_stats_at_exit(void) {
    started = true;
    if (hak_option(stats) == STATS_NONE) return;
    if (*hak_options.stats_file == '\0' || !open_at_load(hak_options.stats_file)) kept.duplicate = output_keep_stderr();
}

// --- at exit

// A relative name is good in the folder of then alone.
static Output open_again(const char* pattern, int* error) {
    char path[PATH_BYTES];
    expand(path, pattern);
    if (output_is_there(kept.folder)) return output_open_file(kept.folder.fd, name_in_folder(path), error);
    if (*path == '/') return output_open_file(AT_FDCWD, path, error);
    *error = ENOENT;
    return OUTPUT_NOWHERE;
}

// Where a child cannot open its own, that of the process it was forked from, and where a deleted one cannot be made
// again, that one.
static Output kept_file(const char* pattern, int* error) {
    bool is_own = kept.process == os_process_id() || !has_number(pattern);
    if (is_own && output_has_name(kept.file)) return kept.file;
    Output file = open_again(pattern, error);
    if (file.fd < 0 && output_is_there(kept.file)) return kept.file;
    return file;
}

static Output stderr_at_exit(void) {
    return output_is_there(kept.duplicate) ? kept.duplicate : output_stderr_at_load();
}

// The program may have set the option after load.
static Output output_at_exit(const char* pattern) {
    char path[PATH_BYTES];
    int error = 0;
    bool is_kept = text_same(pattern, kept.pattern);
    if (*pattern == '\0' || (is_kept && kept.file.fd < 0)) return stderr_at_exit();
    expand(path, pattern);
    Output file = is_kept ? kept_file(pattern, &error) : output_open_file(AT_FDCWD, path, &error);
    if (file.fd >= 0) return file;
    warn_file(stderr_at_exit(), pattern, error);
    return stderr_at_exit();
}

// A process that never allocated has nothing to say: the supervisor of hakstress is one.
static bool was_used(void) {
    uint64_t counters[HAK_COUNTER_COUNT];
    hak_counters_sum(counters);
    return counters[HAK_C_thread_started] != 0;
}

// What was opened for it is closed by the process's end: destructors of others may run after this one.
__attribute__((destructor)) static void write_stats(void) {
    int64_t form = hak_option(stats);
    if (!started || form == STATS_NONE || operation_is_open() || !was_used()) return;
    Output to = output_at_exit(hak_options.stats_file);
    if (form == STATS_JSON) {
        hak_stats_json_line(to);
    } else {
        hak_stats_text(to);
    }
}
