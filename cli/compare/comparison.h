// The data of one comparison: what is compared, on what, and everything that was measured.
#ifndef HAKSTRESS_COMPARE_COMPARISON_H
#define HAKSTRESS_COMPARE_COMPARISON_H

#include "compare/shortage.h"
#include "compare/statistics.h"
#include "workload/workload.h"

#include <jansson.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>

enum { SUBJECTS_MAX = 16, ROWS_MAX = 64, ROUNDS_MAX = STATISTICS_PAIRS_MAX, VARIABLES_MAX = 16, FAILURES_MAX = 8 };
enum { WARM_UP = -1, NO_ROUND = -2 };  // runs that are not counted: before the rounds, and after them

// An allocator as it is loaded on this machine.
struct subject {
    char name[128];
    char path[PATH_MAX];                 // "": the C library's own
    char worker[PATH_MAX];               // its own worker, built with another C library; "": that of all
    char* variables[VARIABLES_MAX + 1];  // NAME=VALUE, ended by NULL
    char version[128], build_id[65];     // "": unknown
    char loaded_from[PATH_MAX];          // what a started process proved
};

struct sample {
    bool present;
    double ops_per_sec, seconds, user_seconds, system_seconds;
    uint64_t rss_peak_kib, rss_freed_kib, minor_faults, major_faults;
};

struct failure {
    int round;
    char what[256];
    char report[256];  // file of the crash report; "": none
    char again[1024];  // the command line that repeats the run; "": unknown
};

enum metric { METRIC_SPEED, METRIC_RSS_PEAK, METRIC_RSS_FREED, METRICS };

// Relative to the baseline.
struct verdict {
    bool known;
    struct estimate estimate;  // above 1: faster, or more memory
    double p_corrected;
    int claim;
    bool too_few_rounds;  // otherwise it would be claimed, or there is no interval either
};

// One allocator on one row.
struct cell {
    struct sample samples[ROUNDS_MAX];  // by round
    struct failure failures[FAILURES_MAX];
    unsigned failed;    // total; those beyond FAILURES_MAX are only counted
    unsigned unbroken;  // failures since the last success
    char extra[8192];   // the worker's lines about latencies and memory over time; "": none
    struct verdict verdicts[METRICS];
};

// A parameter and its values, each of which makes a row of every workload.
struct sweep {
    char name[64];
    char* values[ROWS_MAX];
    size_t count;  // 0: nothing is swept
};

// A workload with its parameters, or the command.
struct row {
    char name[PATH_MAX + 32];         // the name of a trace contains its path
    const struct workload* workload;  // NULL: a command
    uint64_t params[WORKLOAD_PARAMS_MAX];
    uint64_t threads;
    const char* swept;                             // its value of the swept parameter; NULL: none
    const char* of;                                // the workload or command without that value, if it has one
    char** command;                                // its words; NULL: a workload
    const char *prepare, *cleanup;                 // shell commands around each run of the command; NULL: none
    char **own_words, *own_prepare, *own_cleanup;  // those that were made for this row; NULL: none
    cpu_set_t processors;                          // that its runs are bound to, if pinned
    unsigned rounds;                               // done
    bool settled;         // no more rounds: see verdicts_are_settled, or nothing is left to compare
    double limit;         // operations per second; 0: none is known
    bool limit_is_wrong;  // allocators were faster
    struct cell* cells[SUBJECTS_MAX];
};

struct aa {
    bool done, trustworthy;
    unsigned rounds;
    struct estimate estimate;
};

struct comparison {
    const struct args* args;
    unsigned reports;  // crash reports that were written
    struct subject subjects[SUBJECTS_MAX];
    size_t subject_count, baseline;
    const char* baseline_name;
    json_t* earlier;  // the document of an earlier run; NULL: none
    const char* earlier_file;
    double gate;                    // a loss of this share fails; negative: none does
    const char *prepare, *cleanup;  // as the user wrote them
    struct sweep sweep;
    struct row rows[ROWS_MAX];
    size_t row_count;
    char** command;  // as the user wrote it; NULL: workloads
    int command_count;
    char worker[PATH_MAX], launcher[PATH_MAX];
    uint64_t seed;
    double seconds, budget, timeout, precision, noise;
    unsigned rounds_fixed;          // 0: as many as the intervals and the budget need
    unsigned rounds_needed;         // to claim anything with so many ratios; 0: not known yet
    unsigned looks[3], look_count;  // the interim looks: after so many rounds the intervals are tested
    bool pinned, quiet, show_output;
    bool noise_given;  // otherwise a difference of the baseline from itself is not allowed
    const volatile sig_atomic_t* stopped;
    struct aa aa;
    struct shortage shortage;
    bool out_of_time;
    double seconds_before_rounds, seconds_of_a_round;  // measured; the second is 0 if no round was completed
};

#endif
