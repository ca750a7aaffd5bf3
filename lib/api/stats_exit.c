// HAKMEM_STATS: what is opened at load, and where statistics go at exit. In between a program may change its folder,
// root, user and limits, close every descriptor, and fork.
//
//   file       opened at load if HAKMEM_STATS_FILE is set, so that such changes do not matter
//   folder     only if the file's name has %p: a child of a fork opens its own file there when it exits. Otherwise it
//              is not opened, because a descriptor of a folder is a way out of a process that has locked itself into
//              another one
//   duplicate  of descriptor 2, only if there is no file or it cannot be opened. An error is reported at once, while
//              somebody may read it. Only then, because a reader of stderr waits until all holders have closed it
#include "api/stats.h"
#include "base/output.h"
#include "base/text.h"
#include "config/options.h"
#include "os/os.h"
#include "thread/operation.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { STATS_NONE, STATS_TEXT, STATS_JSON };
enum { PATH_BYTES = 2 * HAK_OPTION_TEXT_MAX };

static bool started;
static struct {
    char pattern[HAK_OPTION_TEXT_MAX];  // the pattern that `file` was opened by
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

// The part after the last slash.
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

// Nowhere if the folder's own name has a number.
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
    text_tell(to, "hakmem: HAKMEM_STATS_FILE: cannot open %s (error %d)\n", path, error);
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

// A relative name is valid only in the folder of that time.
static Output open_again(const char* pattern, int* error) {
    char path[PATH_BYTES];
    expand(path, pattern);
    if (output_is_there(kept.folder)) return output_open_file(kept.folder.fd, name_in_folder(path), error);
    if (*path == '/') return output_open_file(AT_FDCWD, path, error);
    *error = ENOENT;
    return OUTPUT_NOWHERE;
}

// The file for the statistics. A child that cannot open its own file uses its parent's. If a deleted file cannot be
// made again, the deleted one is used.
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

// A process that never allocated has nothing to report, such as the supervisor of hakstress.
static bool was_used(void) {
    uint64_t counters[HAK_COUNTER_COUNT];
    hak_counters_sum(counters);
    return counters[HAK_C_thread_started] != 0;
}

// The end of the process closes the files: destructors of others may run after this one.
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
