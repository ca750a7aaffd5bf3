// hakstress top: what all processes that have the library hold, again and again.
#include "args/args.h"
#include "base/error.h"
#include "census/tell.h"
#include "command/commands.h"
#include "process/live_process.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { SHOWN_MOST = 256, LINES_STANDARD = 24 };

static const struct option_spec top_options[] = {
    {"interval", "SECONDS", NULL, "1", "time between two looks, 1 to 3600"},
    {"count", "N", NULL, "0", "looks before it ends; 0: until q or Ctrl-C"},
    {.name = NULL},
};

struct watched {
    pid_t pid;
    Census now, before;
    double now_at, before_at;
};

struct view {
    struct watched* watched[SHOWN_MOST];
    size_t count;
    bool terminal;
    struct termios kept;
};

static volatile sig_atomic_t stopped;

static void stop(int number) {
    (void)number;
    stopped = 1;
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// --- looking

static struct watched* find(const struct view* view, pid_t pid) {
    for (size_t i = 0; i < view->count; i++)
        if (view->watched[i]->pid == pid) return view->watched[i];
    return NULL;
}

// False: the process cannot be read.
static bool look_at(struct watched* watched) {
    struct live_process process;
    if (live_process_open(&process, watched->pid) != LIVE_OPEN) return false;
    watched->before = watched->now;
    watched->before_at = watched->now_at;
    bool there = live_process_census(&process, &watched->now);
    watched->now_at = seconds_now();
    live_process_close(&process);
    return there;
}

static void look(struct view* view, const pid_t* pids, size_t count) {
    struct view next = *view;
    next.count = 0;
    for (size_t i = 0; i < count; i++) {
        struct watched* watched = find(view, pids[i]);
        if (watched == NULL) watched = calloc(1, sizeof *watched);
        if (watched == NULL) continue;
        watched->pid = pids[i];
        if (look_at(watched))
            next.watched[next.count++] = watched;
        else if (find(view, pids[i]) == NULL)
            free(watched);
    }
    for (size_t i = 0; i < view->count; i++)
        if (find(&next, view->watched[i]->pid) == NULL) free(view->watched[i]);
    *view = next;
}

// --- showing

static double mib(uint64_t bytes) {
    return (double)bytes / (1 << 20);
}

// Of the first look none is known.
static bool has_rates(const struct watched* watched) {
    return watched->before_at > 0 && watched->now_at > watched->before_at;
}

// A second.
static double rate(const struct watched* watched, uint64_t now, uint64_t before) {
    return now > before ? (double)(now - before) / (watched->now_at - watched->before_at) : 0;
}

enum { RATE_BYTES = 32 };

// "123", "123+" for a lower bound, "-" for none.
static const char* rate_text(const struct watched* watched, uint64_t now, uint64_t before, bool is_bound,
                             char out[RATE_BYTES]) {
    if (has_rates(watched))
        snprintf(out, RATE_BYTES, "%.0f%s", rate(watched, now, before), is_bound ? "+" : "");
    else
        snprintf(out, RATE_BYTES, "-");
    return out;
}

static void show_process(const struct watched* watched) {
    const Census *now = &watched->now, *before = &watched->before;
    const CensusParts* parts = &now->parts;
    char mallocs[RATE_BYTES], frees[RATE_BYTES], refills[RATE_BYTES];
    printf("%8d %-15s %8.1f %8.1f %7.1f %7.1f %7.1f %7.1f %8.1f %9" PRIu64 " %9s %9s %8s\n", (int)watched->pid,
           now->command, mib(now->resident), mib(parts->live), mib(parts->cached), mib(parts->gaps),
           mib(parts->free_dirty), mib(parts->tables), mib(parts->others), now->live,
           rate_text(watched, now->mallocs, before->mallocs, !now->checked, mallocs),
           rate_text(watched, now->frees, before->frees, !now->checked, frees),
           rate_text(watched, now->counters[HAK_C_tls_slab_tried], before->counters[HAK_C_tls_slab_tried], false,
                     refills));
}

static void show_class(const struct watched* watched, unsigned r) {
    const CensusRow *row = &watched->now.row[r], *before = &watched->before.row[r];
    char change[RATE_BYTES] = "-";
    if (has_rates(watched))
        snprintf(change, sizeof change, "%+.0f",
                 rate(watched, row->live, before->live) - rate(watched, before->live, row->live));
    if (r == CENSUS_HUGE || r == CENSUS_RUNS)
        printf("%8s", r == CENSUS_HUGE ? "huge" : "pages");
    else
        printf("%8" PRIu64, row->size);
    printf(" %10" PRIu64 " %10.2f %10" PRIu64 " %8" PRIu64 " %12s\n", row->live, mib(row->live_bytes), row->cached,
           row->slabs, change);
}

// Those that hold most come first.
static void show_classes(const struct watched* watched, size_t lines) {
    bool shown[CENSUS_ROWS] = {false};
    printf("\n%8s %10s %10s %10s %8s %12s\n", "size", "live", "MiB", "cached", "slabs", "change/s");
    for (unsigned r; lines > 0 && (r = census_largest_row(&watched->now, shown)) != CENSUS_ROWS; lines--) {
        shown[r] = true;
        show_class(watched, r);
    }
}

static size_t screen_lines(void) {
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 6 ? size.ws_row : LINES_STANDARD;
}

static void show(const struct view* view) {
    size_t lines = view->terminal ? screen_lines() - 4 : SHOWN_MOST;
    if (view->terminal) fputs("\033[H\033[2J", stdout);
    printf("%8s %-15s %8s %8s %7s %7s %7s %7s %8s %9s %9s %9s %8s\n", "PID", "COMMAND", "RSS MiB", "used", "cached",
           "gaps", "free", "tables", "others", "live", "malloc/s", "free/s", "refill/s");
    for (size_t i = 0; i < view->count && i < lines; i++) show_process(view->watched[i]);
    if (view->count == 0)
        puts("no process that has libhakmem and that you may read; hakstress --help says how to get one");
    if (view->count == 1 && lines > 4) show_classes(view->watched[0], lines - 4);
    if (view->terminal) fputs("\nq: end. +: at least so many, because the release library does not count all.", stdout);
    fflush(stdout);
}

// --- the terminal

static void begin_terminal(struct view* view) {
    view->terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && tcgetattr(STDIN_FILENO, &view->kept) == 0;
    if (!view->terminal) return;
    struct termios raw = view->kept;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    fputs("\033[?1049h\033[?25l", stdout);
}

static void end_terminal(const struct view* view) {
    if (!view->terminal) return;
    fputs("\033[?25h\033[?1049l", stdout);
    fflush(stdout);
    tcsetattr(STDIN_FILENO, TCSANOW, &view->kept);
}

// Until the next look. False: the user wants to end.
static bool wait_for(const struct view* view, double until) {
    struct pollfd input = {.fd = view->terminal ? STDIN_FILENO : -1, .events = POLLIN};
    for (double left; !stopped && (left = until - seconds_now()) > 0;) {
        char key;
        if (poll(&input, 1, (int)(left * 1000) + 1) <= 0) continue;
        if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q') return false;
    }
    return !stopped;
}

static void loop(struct view* view, const pid_t* named, size_t named_count, uint64_t interval, uint64_t count) {
    pid_t found[SHOWN_MOST];
    double next = seconds_now();
    for (uint64_t turn = 1;; turn++) {
        size_t many = named_count > 0 ? named_count : live_processes(found, SHOWN_MOST);
        look(view, named_count > 0 ? named : found, many);
        show(view);
        next += (double)interval;
        if (turn == count || (named_count > 0 && view->count == 0) || !wait_for(view, next)) return;
    }
}

// --- the verb

static int read_pids(const struct args* args, pid_t* pids) {
    char words[LIVE_PROBLEM_BYTES];
    if (args->operand_count > SHOWN_MOST || args->rest_count > 0) return usage_error("too many processes");
    for (int i = 0; i < args->operand_count; i++) {
        uint64_t pid;
        struct live_process process;
        if (!args_operand_whole(args, i, "PID", 1, INT32_MAX, 0, &pid)) return STATUS_USAGE;
        pids[i] = (pid_t)pid;
        enum live_state state = live_process_open(&process, pids[i]);
        live_problem(state, pids[i], words, sizeof words);
        if (state != LIVE_OPEN) return missing_error("%s", words);
        live_process_close(&process);
    }
    return STATUS_OK;
}

static int top_run(const struct args* args) {
    pid_t pids[SHOWN_MOST];
    uint64_t interval, count;
    if (!args_number(args, "interval", 1, 3600, &interval) || !args_number(args, "count", 0, UINT32_MAX, &count))
        return STATUS_USAGE;
    int status = read_pids(args, pids);
    if (status != STATUS_OK) return status;
    struct view view = {.count = 0};
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    begin_terminal(&view);
    loop(&view, pids, (size_t)args->operand_count, interval, count);
    end_terminal(&view);
    for (size_t i = 0; i < view.count; i++) free(view.watched[i]);
    return STATUS_OK;
}

const struct command command_top = {
    .name = "top",
    .synopsis = "[PID...]",
    .summary = "watch what processes that have libhakmem hold; without PID all of yours",
    .options = top_options,
    .notes = "A terminal is refreshed until q; anything else gets one table after another. With one process it also\n"
             "shows blocks by size: live ones, their bytes, and how their number changes. The columns beside RSS are\n"
             "its parts, in MiB: used (in live blocks), cached by threads, gaps in slabs, free, the allocator's\n"
             "tables, and others (not the allocator's). Rates are those since the table before: the first one has\n"
             "none (-). 123+ is a lower bound: the release library does not count all calls.\n",
    .examples = "hakstress top\n"
                "hakstress top $(pidof postgres) --interval 5\n"
                "hakstress top 1234 --count 60 >log\n",
    .run = top_run,
};
