// hakstress doctor: is this machine fit for runs and measurements?
#include "args/args.h"
#include "base/error.h"
#include "base/json.h"
#include "base/machine.h"
#include "child/shared.h"
#include "command/commands.h"
#include "results/results.h"
#include "worker/allocators.h"
#include "workload/workload.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum finding { FIT, NOTE, UNFIT };

struct diagnosis {
    int unfit;
    double noise;
    FILE* out;
    json_t* checks;
};

static void report(struct diagnosis* diagnosis, enum finding finding, const char* what, const char* value,
                   const char* advice) {
    static const char* const marks[] = {[FIT] = "ok", [NOTE] = "note", [UNFIT] = "UNFIT"};
    fprintf(diagnosis->out, "%-5s  %-22s %s%s%s\n", marks[finding], what, value, advice[0] != '\0' ? "  -- " : "",
            advice);
    json_t* check = json_object();
    json_put_text(check, "name", what);
    json_put_text(check, "finding", finding == FIT ? "ok" : finding == NOTE ? "note" : "unfit");
    json_put_text(check, "value", value);
    if (advice[0] != '\0') json_put_text(check, "advice", advice);
    json_array_append_new(diagnosis->checks, check);
    if (finding == UNFIT) diagnosis->unfit++;
}

static void check_processors(struct diagnosis* diagnosis) {
    char text[32];
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    snprintf(text, sizeof text, "%ld", count);
    report(diagnosis, count > 1 ? FIT : NOTE, "processors", text,
           count > 1 ? "" : "with one processor, races between threads are rare");
}

static void check_load(struct diagnosis* diagnosis) {
    char line[128];
    machine_read_line("/proc/loadavg", line, sizeof line);
    double load = strtod(line, NULL);
    line[strcspn(line, " ")] = '\0';
    bool busy = load > 0.5 * (double)sysconf(_SC_NPROCESSORS_ONLN);
    report(diagnosis, busy ? NOTE : FIT, "load", line,
           busy ? "other programs are busy, so measurements will be noisy" : "");
}

static void check_hugepages(struct diagnosis* diagnosis) {
    char line[128];
    machine_read_line("/sys/kernel/mm/transparent_hugepage/enabled", line, sizeof line);
    report(diagnosis, line[0] != '\0' ? FIT : NOTE, "transparent hugepages",
           line[0] != '\0' ? line : "not supported by this kernel", "");
}

static void check_overcommit(struct diagnosis* diagnosis) {
    char line[128];
    machine_read_line("/proc/sys/vm/overcommit_memory", line, sizeof line);
    bool strict = strcmp(line, "2") == 0;
    report(diagnosis, strict ? NOTE : FIT, "overcommit_memory", line,
           strict ? "strict: reserved address space counts as memory" : "");
}

static void check_mappings(struct diagnosis* diagnosis) {
    char line[128];
    machine_read_line("/proc/sys/vm/max_map_count", line, sizeof line);
    bool few = strtol(line, NULL, 10) < 65530;
    report(diagnosis, few ? NOTE : FIT, "max_map_count", line,
           few ? "there may be no memory for the stacks of many threads; raise it with sysctl" : "");
}

static void check_address_space(struct diagnosis* diagnosis) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0) return;
    bool unlimited = limit.rlim_cur == RLIM_INFINITY;
    char text[32];
    snprintf(text, sizeof text, "%llu MiB", (unsigned long long)limit.rlim_cur >> 20);
    report(diagnosis, unlimited ? FIT : NOTE, "address space", unlimited ? "unlimited" : text,
           unlimited ? "" : "to remove the limit: ulimit -v unlimited");
}

static void check_shared_memory(struct diagnosis* diagnosis) {
    int fd;
    struct shared* shared = shared_create(4096, &fd);
    report(diagnosis, shared != NULL ? FIT : UNFIT, "shared memory", shared != NULL ? "yes" : strerror(errno),
           shared != NULL ? "" : "repro and guard need it for the debug ring");
    if (shared == NULL) return;
    shared_close(shared);
    close(fd);
}

// Tried on a child, as for a crash report.
static void check_ptrace(struct diagnosis* diagnosis) {
    pid_t child = fork();
    if (child == 0) {
        for (;;) pause();
    }
    bool allowed = child > 0 && ptrace(PTRACE_SEIZE, child, NULL, NULL) == 0;
    report(diagnosis, allowed ? FIT : NOTE, "ptrace of a child", allowed ? "yes" : strerror(errno),
           allowed ? "" : "no backtraces of hangs, no search for leaks; see Where ptrace is refused in docs/RUN.md");
    if (child <= 0) return;
    kill(child, SIGKILL);
    waitpid(child, NULL, __WALL);
}

static void check_peers(struct diagnosis* diagnosis) {
    struct allocator found[ALLOCATORS_MOST];
    size_t count = allocators_find(found);
    char text[256] = "";
    for (size_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? " " : "", found[i].name);
    report(diagnosis, count > 2 ? FIT : NOTE, "allocators", text,
           count > 2 ? "" : "install libjemalloc2, libmimalloc2.0 or libtcmalloc-minimal4 to compare with them");
}

static int by_size(const void* a, const void* b) {
    double x = *(const double*)a, y = *(const double*)b;
    return x < y ? -1 : x > y;
}

static double time_of_a_fixed_piece_of_work(void) {
    double start = workload_clock();
    uint64_t sum = 0;
    for (uint64_t i = 0; i < 2000000; i++) {
        sum += i * i;
        __asm__ volatile("" : "+r"(sum));  // otherwise the compiler uses a formula
    }
    return workload_clock() - start;
}

// How much the time of the same work varies: the middle half of the rounds relative to their median.
static void check_noise(struct diagnosis* diagnosis) {
    enum { ROUNDS = 40 };
    double times[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) times[i] = time_of_a_fixed_piece_of_work();
    qsort(times, ROUNDS, sizeof times[0], by_size);
    double spread = (times[ROUNDS * 3 / 4] - times[ROUNDS / 4]) / times[ROUNDS / 2];
    char text[32];
    diagnosis->noise = spread;
    snprintf(text, sizeof text, "%.1f %%", spread * 100);
    report(diagnosis, spread < 0.05 ? FIT : NOTE, "noise", text,
           spread < 0.05 ? "" : "run-to-run timing varies too much to detect small differences");
}

static int conclude(const struct args* args, struct diagnosis* diagnosis) {
    static const double useless = 0.5;  // then even large differences drown
    bool measures = diagnosis->noise < useless;
    int status = diagnosis->unfit > 0 ? STATUS_MISSING : measures ? STATUS_OK : STATUS_UNTRUSTED;
    fprintf(diagnosis->out, "doctor: %s\n",
            diagnosis->unfit > 0 ? "not fit"
            : measures           ? "fit"
                                 : "fit for runs, too noisy for measurements");
    json_t* result = result_new(args, "doctor");
    json_object_set_new(result, "checks", diagnosis->checks);
    json_put_bool(result, "fit_for_runs", diagnosis->unfit == 0);
    json_put_bool(result, "fit_for_measurements", diagnosis->unfit == 0 && measures);
    json_put_real(result, "noise", diagnosis->noise);
    if (!result_save_copy(args, result) && status == STATUS_OK) status = STATUS_MISSING;
    json_decref(result);
    return status;
}

static int doctor_run(const struct args* args) {
    if (!args_operands_at_most(args, 0)) return STATUS_USAGE;
    struct diagnosis diagnosis = {.out = result_stream(args), .checks = json_array()};
    check_processors(&diagnosis);
    check_load(&diagnosis);
    check_hugepages(&diagnosis);
    check_overcommit(&diagnosis);
    check_mappings(&diagnosis);
    check_address_space(&diagnosis);
    check_shared_memory(&diagnosis);
    check_ptrace(&diagnosis);
    check_peers(&diagnosis);
    check_noise(&diagnosis);
    return conclude(args, &diagnosis);
}

const struct command command_doctor = {
    .name = "doctor",
    .synopsis = "",
    .summary = "check whether this machine is fit for runs and measurements",
    .notes = "Exit status: 0 fit, 3 not fit, 4 fit for runs, but timing varies too much to measure anything.\n",
    .examples = "hakstress doctor && hakstress repro\n",
    .run = doctor_run,
};
