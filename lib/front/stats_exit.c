#include "base/text.h"
#include "config/options.h"
#include "front/stats.h"
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATS_NONE, STATS_TEXT, STATS_JSON };
enum { HIGH_FD = 200 };  // out of the way of programs that count on low numbers

// Many programs close stderr in their last steps, so it is kept open under another number.
static int kept_stderr = -1;
static struct stat kept_identity;
static bool started;

void hak_stats_at_exit(void) {
    int saved_errno = errno;
    started = true;
    if (hak_option(stats) != STATS_NONE) {
        kept_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, HIGH_FD);
        if (kept_stderr >= 0 && fstat(kept_stderr, &kept_identity) != 0) kept_stderr = -1;
    }
    errno = saved_errno;
}

// A program that closes every number it knows of may have been given ours again, for another file.
static int stderr_at_exit(void) {
    struct stat now;
    if (kept_stderr < 0 || fstat(kept_stderr, &now) != 0) return STDERR_FILENO;
    bool same = now.st_dev == kept_identity.st_dev && now.st_ino == kept_identity.st_ino;
    return same ? kept_stderr : STDERR_FILENO;
}

// stderr in place of a file that cannot be opened.
static int open_stats_file(const char* pattern) {
    char path[2 * HAK_OPTION_TEXT_MAX];
    text_expand(path, sizeof path, pattern, (int)os_process_id());
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd >= 0) return fd;
    int error = errno;
    fd = stderr_at_exit();
    text_tell(fd, "libhakmem: HAKMEM_STATS_FILE: cannot open %s (error %d)\n", path, error);
    return fd;
}

// A process that never allocated has nothing to say: the supervisor of hakstress is one.
static bool was_used(void) {
    uint64_t counters[HAK_COUNTER_COUNT];
    hak_counters_sum(counters);
    return counters[HAK_C_thread_started] != 0;
}

__attribute__((destructor)) static void write_stats(void) {
    int64_t form = hak_option(stats);
    if (!started || form == STATS_NONE || !was_used()) return;
    bool to_file = *hak_options.stats_file != '\0';
    int fd = to_file ? open_stats_file(hak_options.stats_file) : stderr_at_exit();
    if (form == STATS_JSON) {
        hak_stats_json_line(fd);
    } else {
        hak_stats_text(fd);
    }
    if (fd != STDERR_FILENO && fd != kept_stderr) close(fd);
}
