#include "supervise/supervisor.h"

#include "child/memory_use.h"
#include "report/rings.h"
#include "supervise/progress_bar.h"
#include "supervise/spawn.h"
#include "supervise/watchdog.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TICK_MS = 50 };
static const double stop_patience = 2;     // seconds that a child has to stop when asked
static const double drain_patience = 0.2;  // seconds for the last messages of a dead child to arrive

struct watch {
    struct supervision* of;
    struct child_process child;
    struct watchdog watchdog;
    int signals;
    double began;
    bool working;
    double stop_asked;  // 0: not yet
    bool bar;
    bool gone;  // the child was waited for
    int status;
};

// Facts about the child

static uint64_t total_ops(const struct shared* shared) {
    uint64_t ops = 0;
    for (uint32_t i = 0; i < shared->plan.threads; i++) ops += load_relaxed(&shared->progress[i].ops);
    return ops;
}

static double elapsed(const struct watch* watch) {
    return watch->working ? workload_clock() - watch->began : 0;
}

// Samples and progress

static void take_sample(struct watch* watch) {
    struct supervision* of = watch->of;
    struct sample* more = realloc(of->samples, (of->sample_count + 1) * sizeof *more);
    if (more == NULL) return;  // this sample is lost
    of->samples = more;
    more[of->sample_count++] = (struct sample){
        .time = elapsed(watch),
        .ops = total_ops(of->shared),
        .events = rings_events(shared_ring(of->shared)),
        .rss_kib = memory_own_kib(watch->child.pid, "VmRSS"),
    };
}

static void tick(struct watch* watch) {
    struct supervision* of = watch->of;
    if (!watch->working && load_acquire(&of->shared->phase) != CHILD_STARTING) {
        watch->working = true;
        watch->began = of->shared->began;
    }
    double now = elapsed(watch);
    if (watch->working && now >= (double)(of->sample_count + 1)) take_sample(watch);
    if (watch->bar && watch->working)
        progress_bar_draw(of->title, now, of->shared->plan.seconds, now > 0 ? (double)total_ops(of->shared) / now : 0);
}

// Events in the rings count too: freeing the last blocks is not an operation of the workload, and takes long on a busy
// machine. A child that moves but does not end for very long counts as a hang.
static bool is_hanging(struct watch* watch) {
    struct shared* shared = watch->of->shared;
    uint64_t moves = total_ops(shared) + load_relaxed(&shared->phase) + rings_events(shared_ring(shared));
    bool silent = watchdog_feed(&watch->watchdog, workload_clock(), moves);
    bool late = elapsed(watch) > shared->plan.seconds + 20 * watch->watchdog.limit;
    return watch->stop_asked == 0 && (silent || late);
}

// The child's end

static void reap(struct watch* watch, int options) {
    pid_t ended;
    do ended = waitpid(watch->child.pid, &watch->status, options | __WALL);
    while ((ended < 0 && errno == EINTR) || (ended > 0 && WIFSTOPPED(watch->status)));
    if (ended == watch->child.pid) watch->gone = true;
}

static void kill_child(struct watch* watch) {
    if (watch->gone) return;
    kill(-watch->child.pid, SIGKILL);
    kill(watch->child.pid, SIGKILL);  // its group may not exist yet
    reap(watch, 0);
}

// The child's last messages may still arrive, or a grandchild may hold the pipe open. So wait, but with a limit.
static void read_last_messages(struct watch* watch) {
    struct messages* messages = &watch->of->messages;
    double until = workload_clock() + drain_patience;
    messages_read(messages);
    while (messages->pipe >= 0 && watch->gone && workload_clock() < until) {
        struct pollfd more = {.fd = messages->pipe, .events = POLLIN};
        poll(&more, 1, 10);
        messages_read(messages);
    }
    const HakRingFile* ring = shared_ring(watch->of->shared);
    watch->of->has_check = messages_find_check(messages->text, &watch->of->check);
    // If stderr was closed, the line is only in the ring.
    if (!watch->of->has_check && load_acquire(&ring->has_last_words) != 0)
        watch->of->has_check = messages_find_check(ring->last_words, &watch->of->check);
}

static void make_report(struct watch* watch, enum report_reason reason, int died_of) {
    struct supervision* of = watch->of;
    read_last_messages(watch);
    if (!watch->gone) of->peak_rss_kib = memory_own_kib(watch->child.pid, "VmHWM");
    struct report_input input = {
        .reason = reason,
        .crash = &of->shared->crash,
        .ring = shared_ring(of->shared),
        .statistics = &of->shared->statistics,
        .child = watch->gone ? 0 : watch->child.pid,
        .died_of = died_of,
        .after = of->after,
        .messages = of->messages.text,
        .check = of->has_check ? &of->check : NULL,
        .workload = of->shared->plan.workload,
    };
    of->report = crash_report_make(&input);
}

static enum supervised crashed(struct watch* watch) {
    struct supervision* of = watch->of;
    of->after = watch->working ? of->shared->crash.time - watch->began : 0;
    make_report(watch, REPORT_CRASH, 0);
    kill_child(watch);
    return SUPERVISED_FAULT;
}

static enum supervised hung(struct watch* watch) {
    watch->of->after = elapsed(watch);
    make_report(watch, REPORT_HANG, 0);
    kill_child(watch);
    return SUPERVISED_HANG;
}

static enum supervised stopped(struct watch* watch) {
    watch->of->after = elapsed(watch);
    watch->of->peak_rss_kib =
        watch->gone ? watch->of->shared->outcome.peak_rss_kib : memory_own_kib(watch->child.pid, "VmHWM");
    kill_child(watch);
    return SUPERVISED_STOPPED;
}

static enum supervised ended(struct watch* watch) {
    struct supervision* of = watch->of;
    const struct shared* shared = of->shared;
    if (load_acquire(&shared->crash.ready) != 0) return crashed(watch);
    if (watch->stop_asked != 0) return stopped(watch);
    of->after = elapsed(watch);
    if (WIFSIGNALED(watch->status)) {
        make_report(watch, REPORT_DEATH, WTERMSIG(watch->status));
        return SUPERVISED_FAULT;
    }
    read_last_messages(watch);
    of->peak_rss_kib = shared->outcome.peak_rss_kib;
    if (WEXITSTATUS(watch->status) != 0 || load_acquire(&shared->phase) != CHILD_FINISHED) return SUPERVISED_FAILED;
    if (shared->outcome.error == 0) return SUPERVISED_OK;
    fprintf(stderr, "hakstress: the workload failed: %s; try fewer threads\n", strerror(shared->outcome.error));
    return SUPERVISED_FAILED;
}

// Signals

// The first request asks the child to stop, the second kills it.
static void take_signal(struct watch* watch, bool* insisted) {
    struct signalfd_siginfo info;
    while (read(watch->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGCHLD) continue;
        *insisted = watch->stop_asked != 0;
        if (watch->stop_asked == 0) watch->stop_asked = workload_clock();
        store_relaxed(&watch->of->shared->stop, 1u);
    }
}

static enum supervised watch_child(struct watch* watch) {
    struct messages* messages = &watch->of->messages;
    for (bool insisted = false;;) {
        struct pollfd sources[] = {
            {.fd = watch->signals, .events = POLLIN},
            {.fd = messages->pipe, .events = POLLIN},
            {.fd = watch->child.crashes, .events = POLLIN},
        };
        poll(sources, 3, TICK_MS);
        take_signal(watch, &insisted);
        messages_read(messages);
        tick(watch);
        if (load_acquire(&watch->of->shared->crash.ready) != 0) return crashed(watch);
        reap(watch, WNOHANG);
        if (watch->gone) return ended(watch);
        if (insisted || (watch->stop_asked != 0 && workload_clock() > watch->stop_asked + stop_patience))
            return stopped(watch);
        if (is_hanging(watch)) return hung(watch);
        if (sources[2].revents & POLLHUP) {
            // All of the child's threads are ending. Without this, poll would return at once until they have ended.
            close(watch->child.crashes);
            watch->child.crashes = -1;
        }
    }
}

static int watch_signals(sigset_t* before) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, before) != 0) return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

enum supervised supervise(struct supervision* supervision) {
    struct watch watch = {.of = supervision, .bar = progress_bar_wanted(supervision->quiet)};
    sigset_t before;
    supervision->messages.pipe = -1;
    watch.signals = watch_signals(&before);
    if (watch.signals < 0 || spawn_child(supervision->shared_fd, &watch.child) != 0) {
        fprintf(stderr, "hakstress: cannot start a process: %s\n", strerror(errno));
        return SUPERVISED_FAILED;
    }
    supervision->messages.pipe = watch.child.messages;
    watchdog_start(&watch.watchdog, supervision->hang_after, workload_clock());
    enum supervised outcome = watch_child(&watch);
    if (watch.bar) progress_bar_clear();
    if (supervision->messages.pipe >= 0) close(supervision->messages.pipe);
    if (watch.child.crashes >= 0) close(watch.child.crashes);
    close(watch.signals);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return outcome;
}

void supervision_free(struct supervision* supervision) {
    free(supervision->samples);
    json_decref(supervision->report);
}
