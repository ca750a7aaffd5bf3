// What is opened for statistics at load, and where they go. In between a program may change its folder, root, user and
// limits, close every descriptor, and fork.
//
//   file       opened at load if HAKMEM_STATS_FILE is set and has no %n, so that such changes do not matter
//   folder     only if the file's name has %p or %n: a child of a fork, and each report, opens its own file there.
//              Otherwise it is not opened, because a descriptor of a folder is a way out of a process that has locked
//              itself into another one
//   duplicate  of descriptor 2, only if there is no file or it cannot be opened. An error is reported at once, while
//              somebody may read it. Only then, because a reader of stderr waits until all holders have closed it
#include "api/stats_file.h"

#include "base/output.h"
#include "base/text.h"
#include "census/about.h"
#include "config/options.h"
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 2 * HAK_OPTION_TEXT_MAX };

static struct {
    char pattern[HAK_OPTION_TEXT_MAX];  // the pattern that `file` was opened by
    uint32_t process;
    Output file;
    Output folder;
    Output duplicate;
} kept = {.file = {.fd = -1}, .folder = {.fd = -1}, .duplicate = {.fd = -1}};

// --- names

static bool has(const char* pattern, const char* mark) {
    while (*pattern != '\0' && !text_begins(pattern, mark)) pattern++;
    return *pattern != '\0';
}

static bool is_of_one_process(const char* pattern) {
    return has(pattern, "%p") || has(pattern, "%n");
}

// The part after the last slash.
static const char* name_in_folder(const char* path) {
    const char* name = path;
    for (; *path != '\0'; path++)
        if (*path == '/') name = path + 1;
    return name;
}

static uint32_t reports, reports_of;  // written by the process `reports_of`

static unsigned next_number(void) {
    if (reports_of != os_process_id()) reports = 0;
    return reports + 1;
}

static void count_report(void) {
    reports = next_number();
    reports_of = os_process_id();
}

// A command's name may hold any byte.
static void name_command(char* out, size_t size) {
    about_command(0, out, size);
    for (; *out != '\0'; out++)
        if (*out == '/') *out = '_';
}

static void expand(char path[PATH_BYTES], const char* pattern) {
    char numbered[PATH_BYTES], command[16];
    text_expand(numbered, PATH_BYTES, pattern, (int)os_process_id());
    name_command(command, sizeof command);
    size_t length = 0;
    path[0] = '\0';
    for (const char* s = numbered; *s != '\0' && length < PATH_BYTES; s++) {
        char* at = path + length;
        size_t left = PATH_BYTES - length;
        if (text_begins(s, "%n"))
            length += text_format(at, left, "%u", next_number());
        else if (text_begins(s, "%c"))
            length += text_format(at, left, "%s", command);
        else
            length += text_format(at, left, "%c", (int)*s);
        s += text_begins(s, "%n") || text_begins(s, "%c");
    }
}

// --- at load

// Nowhere if the folder's own name has a number.
static Output open_folder_of(const char* pattern) {
    char folder[HAK_OPTION_TEXT_MAX];
    size_t length = (size_t)(name_in_folder(pattern) - pattern);
    if (length == 0) return output_open_folder(".");
    memcpy(folder, pattern, length);
    folder[length] = '\0';
    return is_of_one_process(folder) || has(folder, "%c") ? OUTPUT_NOWHERE : output_open_folder(folder);
}

static void warn_file(Output to, const char* pattern, int error) {
    char path[PATH_BYTES];
    expand(path, pattern);
    text_tell(to, "hakmem: HAKMEM_STATS_FILE: cannot open %s (error %d)\n", path, error);
}

// The file of the first report, or the folder of all of them.
static bool open_at_load(const char* pattern) {
    char path[PATH_BYTES];
    int error;
    text_format(kept.pattern, sizeof kept.pattern, "%s", pattern);
    kept.process = os_process_id();
    expand(path, pattern);
    if (is_of_one_process(name_in_folder(pattern))) kept.folder = open_folder_of(pattern);
    if (has(pattern, "%n")) return true;
    kept.file = output_open_file(AT_FDCWD, path, &error);
    if (kept.file.fd < 0) warn_file(output_stderr_at_load(), pattern, error);
    return kept.file.fd >= 0;
}

void stats_file_open(void) {
    if (*hak_options.stats_file == '\0' || !open_at_load(hak_options.stats_file)) kept.duplicate = output_keep_stderr();
}

// --- later

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
    bool is_own = kept.process == os_process_id() || !has(pattern, "%p");
    if (is_own && output_has_name(kept.file)) return kept.file;
    Output file = open_again(pattern, error);
    if (file.fd < 0 && output_is_there(kept.file)) return kept.file;
    return file;
}

static Output stderr_kept(void) {
    return output_is_there(kept.duplicate) ? kept.duplicate : output_stderr_at_load();
}

// The program may have set the option after load.
static Output output_of_report(const char* pattern) {
    char path[PATH_BYTES];
    int error = 0;
    bool is_kept = text_same(pattern, kept.pattern);
    if (*pattern == '\0' || (is_kept && kept.file.fd < 0 && !has(pattern, "%n"))) return stderr_kept();
    expand(path, pattern);
    Output file = is_kept ? kept_file(pattern, &error) : output_open_file(AT_FDCWD, path, &error);
    if (file.fd >= 0) return file;
    warn_file(stderr_kept(), pattern, error);
    return stderr_kept();
}

static bool stays_open(Output output) {
    return output.fd == kept.file.fd || output.fd == kept.duplicate.fd || output.fd == STDERR_FILENO;
}

void stats_file_write(bool calm) {
    Output to = output_of_report(hak_options.stats_file);
    count_report();
    hak_stats_report(to, hak_option(stats) == STATS_JSON, calm);
    if (!stays_open(to)) output_close(to);
}
