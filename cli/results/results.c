#include "results/results.h"

#include "args/command.h"
#include "base/array.h"
#include "base/error.h"
#include "base/json.h"
#include "base/machine.h"
#include "base/save_file.h"
#include "binary/build_id.h"

#include <hakmem/hakmem.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char command_line[4096];
static const char* program = "hakstress";
static time_t start_time;  // the same for all files of this run

static bool is_plain(const char* word) {
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,%@";
    return *word != '\0' && strspn(word, safe) == strlen(word);
}

static size_t append_text(char* out, size_t size, size_t used, const char* text) {
    int written = snprintf(out + used, size - used, "%s", text);
    size_t length = written > 0 ? (size_t)written : 0;
    return used + length < size ? used + length : size - 1;
}

static size_t append_quoted(char* out, size_t size, size_t used, const char* word) {
    if (is_plain(word)) return append_text(out, size, used, word);
    used = append_text(out, size, used, "'");
    for (; *word != '\0'; word++) {
        char one[] = {*word, '\0'};
        used = append_text(out, size, used, *word == '\'' ? "'\\''" : one);
    }
    return append_text(out, size, used, "'");
}

void result_quote(char* const* words, int count, char* out, size_t size) {
    size_t used = strlen(out);
    for (int i = 0; i < count; i++) {
        if (used > 0) used = append_text(out, size, used, " ");
        used = append_quoted(out, size, used, words[i]);
    }
}

void results_remember_command_line(int argc, char** argv) {
    start_time = time(NULL);
    program = argv[0];
    result_quote(argv, argc, command_line, sizeof command_line);
}

const char* result_program(void) {
    return program;
}

static bool has_option_for(const struct args* args, const char* variable, size_t length) {
    for (size_t i = 0; i < args->value_count; i++) {
        const char* env = args->values[i].spec->env;
        if (env != NULL && strlen(env) == length && strncmp(env, variable, length) == 0) return true;
    }
    return false;
}

static int by_text(const void* a, const void* b) {
    return strcmp(*(char* const*)a, *(char* const*)b);
}

void result_again(const struct args* args, const char* tail, char* out, size_t size) {
    char* variables[64];
    size_t count = 0, used = 0;
    for (char** entry = environ; *entry != NULL && count < sizeof variables / sizeof variables[0]; entry++) {
        bool ours = strncmp(*entry, "HAKMEM_", 7) == 0 && !has_option_for(args, *entry, strcspn(*entry, "="));
        if (ours) variables[count++] = *entry;
    }
    qsort(variables, count, sizeof variables[0], by_text);
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        char name[128];
        size_t length = strcspn(variables[i], "=");
        snprintf(name, sizeof name, "%.*s=", (int)length, variables[i]);
        used = append_text(out, size, used, name);
        if (variables[i][length] == '=') used = append_quoted(out, size, used, variables[i] + length + 1);
        used = append_text(out, size, used, " ");
    }
    used = append_quoted(out, size, used, program);
    used = append_text(out, size, used, " ");
    append_text(out, size, used, tail);
}

static json_t* build_describe(void) {
    json_t* build = json_object();
    json_put_text(build, "version", hak_version());
    char id[BUILD_ID_TEXT_MAX];
    if (build_id(id, sizeof id)) json_put_text(build, "id", id);
    json_put_text(build, "compiler", __VERSION__);
    json_put_text(build, "core", "checked");
    return build;
}

json_t* result_new(const struct args* args, const char* kind) {
    char when[32];
    struct tm utc;
    gmtime_r(&start_time, &utc);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    json_t* result = json_object();
    json_put_whole(result, "schema", RESULT_SCHEMA);
    json_put_text(result, "kind", kind);
    json_put_text(result, "command_line", command_line);
    json_object_set_new(result, "profile", args->profile != NULL ? json_string(args->profile) : json_null());
    json_put_text(result, "started", when);
    json_object_set_new(result, "machine", machine_describe());
    json_object_set_new(result, "build", build_describe());
    return result;
}

static bool is_directory(const char* path) {
    struct stat status;
    if (stat(path, &status) != 0) return false;
    if (!S_ISDIR(status.st_mode)) errno = ENOTDIR;
    return S_ISDIR(status.st_mode);
}

static bool make_directory(const char* path) {
    char part[PATH_MAX];
    int written = snprintf(part, sizeof part, "%s", path);
    if (written <= 0 || (size_t)written >= sizeof part) errno = ENAMETOOLONG;
    for (char* slash = part + 1; written > 0 && (size_t)written < sizeof part; slash++) {
        if (*slash != '/' && *slash != '\0') continue;
        bool last = *slash == '\0';
        *slash = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST) break;
        if (last && access(path, W_OK | X_OK) == 0 && is_directory(path)) return true;
        if (last) break;
        *slash = '/';
    }
    missing_error("cannot write to the directory %s: %s; name another with --results DIR", path, strerror(errno));
    return false;
}

bool result_is_kept(const struct args* args) {
    return strcmp(args_text(args, "results"), "none") != 0;
}

// Where programs keep what lasts: for runs in a folder that belongs to somebody else.
static bool state_directory(char* out, size_t size) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    bool has_state = state != NULL && state[0] == '/', has_home = home != NULL && home[0] == '/';
    if (!has_state && !has_home) return false;
    int length = snprintf(out, size, "%s%s/hakstress", has_state ? state : home, has_state ? "" : "/.local/state");
    return length > 0 && (size_t)length < size;
}

static bool is_foreign_folder(const char* directory) {
    char here[PATH_MAX];
    if (access(directory, W_OK | X_OK) == 0) return false;
    if (getcwd(here, sizeof here) != NULL && strcmp(here, "/") == 0) return true;
    return access(directory, F_OK) != 0 && access(".", W_OK | X_OK) != 0;
}

// The same for all files of a run.
static const char* directory_of(const struct args* args) {
    static char chosen[PATH_MAX];
    const char* asked = args_text(args, "results");
    if (args_source(args, "results") != FROM_DEFAULT) return asked;
    if (chosen[0] != '\0') return chosen;
    if (!is_foreign_folder(asked) || !state_directory(chosen, sizeof chosen))
        snprintf(chosen, sizeof chosen, "%s", asked);
    else if (!args_is_set(args, "quiet"))
        fprintf(stderr, "hakstress: results go to %s, because this folder is not for them; see --results\n", chosen);
    return chosen;
}

bool result_path(const struct args* args, const char* kind, const char* suffix, char* out, size_t size) {
    const char* directory = directory_of(args);
    if (!make_directory(directory)) return false;
    char when[32];
    struct tm utc;
    gmtime_r(&start_time, &utc);
    strftime(when, sizeof when, "%Y%m%d-%H%M%S", &utc);
    int written = snprintf(out, size, "%s/%s-%s-%d%s", directory, kind, when, (int)getpid(), suffix);
    if (written > 0 && (size_t)written < size) return true;
    missing_error("the path %s is too long; name another with --results DIR", directory);
    return false;
}

// Removing old runs. Files of one run have the same name up to the first dot: KIND-YYYYMMDD-HHMMSS-PID.

enum { SUFFIXES = 3 + 2 * RESULT_REPORTS_MAX, SUFFIX_BYTES = 32 };

void result_report_suffix(unsigned number, const char* extension, char* out, size_t size) {
    if (number == 1)
        snprintf(out, size, ".crash.%s", extension);
    else
        snprintf(out, size, ".crash-%u.%s", number, extension);
}

// All suffixes that the files of a run may have.
static const char* suffix_at(unsigned index, char buffer[SUFFIX_BYTES]) {
    if (index == 0) return ".json";
    if (index == 1) return ".txt";
    if (index == 2) return ".html";
    result_report_suffix((index - 1) / 2, index % 2 != 0 ? "json" : "txt", buffer, SUFFIX_BYTES);
    return buffer;
}

static bool is_suffix(const char* text) {
    char buffer[SUFFIX_BYTES];
    for (unsigned i = 0; i < SUFFIXES; i++)
        if (strcmp(text, suffix_at(i, buffer)) == 0) return true;
    return false;
}

struct run {
    char stem[NAME_MAX + 1];
    struct timespec newest;
};

static size_t stem_length(const char* name) {
    const char* suffix = strchr(name, '.');
    if (suffix == NULL) return 0;
    bool ours = is_suffix(suffix);
    int date_at = 0, end = 0;
    for (const char* dash = strchr(name, '-'); ours && dash != NULL && date_at == 0; dash = strchr(dash + 1, '-')) {
        int date, clock, pid;
        if (sscanf(dash, "-%8d-%6d-%d%n", &date, &clock, &pid, &end) == 3 && dash + end == suffix) date_at = 1;
    }
    return date_at != 0 ? (size_t)(suffix - name) : 0;
}

static bool later(struct timespec a, struct timespec b) {
    return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

static int newest_first(const void* a, const void* b) {
    const struct run *x = a, *y = b;
    if (later(x->newest, y->newest)) return -1;
    return later(y->newest, x->newest) ? 1 : 0;
}

static size_t list_runs(int directory, DIR* stream, struct run** runs) {
    size_t count = 0, room = 0;
    for (struct dirent* entry; (entry = readdir(stream)) != NULL;) {
        size_t length = stem_length(entry->d_name);
        struct stat status;
        if (length == 0 || fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
        size_t at = 0;
        while (at < count &&
               (strncmp((*runs)[at].stem, entry->d_name, length) != 0 || (*runs)[at].stem[length] != '\0'))
            at++;
        struct run* more = array_room(*runs, at, &room, 64, sizeof *more);
        if (more == NULL) return count;
        *runs = more;
        if (at == count) {
            (*runs)[count] = (struct run){.newest = status.st_mtim};
            memcpy((*runs)[count++].stem, entry->d_name, length);
        } else if (later(status.st_mtim, (*runs)[at].newest)) {
            (*runs)[at].newest = status.st_mtim;
        }
    }
    return count;
}

static void remove_old_runs(const char* path) {
    DIR* stream = opendir(path);
    if (stream == NULL) return;
    struct run* runs = NULL;
    size_t count = list_runs(dirfd(stream), stream, &runs);
    if (count > RESULTS_KEPT) qsort(runs, count, sizeof *runs, newest_first);
    for (size_t i = RESULTS_KEPT; i < count; i++) {
        for (unsigned j = 0; j < SUFFIXES; j++) {
            char name[NAME_MAX + SUFFIX_BYTES], suffix[SUFFIX_BYTES];
            snprintf(name, sizeof name, "%s%s", runs[i].stem, suffix_at(j, suffix));
            unlinkat(dirfd(stream), name, 0);  // most runs lack most of them
        }
    }
    free(runs);
    closedir(stream);
}

bool result_can_write(const char* path) {
    char copy[PATH_MAX];
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) close(fd);
    if (fd >= 0) return true;
    if (errno != ENOENT || snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy) return false;
    return access(dirname(copy), W_OK | X_OK) == 0;
}

int result_check(const struct args* args) {
    char path[PATH_MAX];
    const char* copy = args_text(args, "json");
    if (copy != NULL && strcmp(copy, "-") != 0 && !result_can_write(copy))
        return usage_error("cannot write --json %s: %s", copy, strerror(errno));
    if (!result_is_kept(args))
        return args->command->may_keep_nothing
                   ? STATUS_OK
                   : usage_error("hakstress %s writes files, so --results must name a directory", args->command->name);
    return result_path(args, args->command->name, ".json", path, sizeof path) ? STATUS_OK : STATUS_MISSING;
}

static bool dump(FILE* file, const void* value) {
    return json_dumpf(value, file, JSON_INDENT(1)) == 0;
}

static bool write_json(const json_t* value, const char* path) {
    if (save_file(path, dump, value)) return true;
    missing_error("cannot write %s: %s", path, strerror(errno));
    return false;
}

bool result_save_copy(const struct args* args, json_t* result) {
    const char* copy = args_text(args, "json");
    if (copy == NULL) return true;
    if (strcmp(copy, "-") != 0) return write_json(result, copy);
    if (dump(stdout, result) && putchar('\n') != EOF && fflush(stdout) == 0) return true;
    missing_error("cannot write the result to stdout: %s", strerror(errno));
    return false;
}

bool result_save(const struct args* args, const char* kind, json_t* result) {
    char path[PATH_MAX];
    if (!result_is_kept(args)) return result_save_copy(args, result);
    bool saved = result_path(args, kind, ".json", path, sizeof path) && write_json(result, path);
    remove_old_runs(directory_of(args));
    return result_save_copy(args, result) && saved;
}

FILE* result_stream(const struct args* args) {
    const char* copy = args_text(args, "json");
    return copy != NULL && strcmp(copy, "-") == 0 ? stderr : stdout;
}
