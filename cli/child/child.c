#include "child/child.h"

#include "base/error.h"
#include "base/number.h"
#include "child/crash_handler.h"
#include "child/memory_use.h"
#include "workload/table.h"

#include <hakmem/hakmem.h>

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void write_statistics(struct child_statistics* statistics) {
    uint32_t sequence = load_relaxed(&statistics->sequence);
    store_seq_cst(&statistics->sequence, sequence + 1);
    hak_stats_json(statistics->text, sizeof statistics->text);
    store_seq_cst(&statistics->sequence, sequence + 2);
}

struct statistics_thread {
    struct shared* shared;
    sem_t over;
    pthread_t thread;
};

static void* keep_statistics(void* argument) {
    struct statistics_thread* self = argument;
    crash_handler_thread();
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    do {
        write_statistics(&self->shared->statistics);
        until.tv_sec++;
    } while (sem_clockwait(&self->over, CLOCK_MONOTONIC, &until) != 0);
    write_statistics(&self->shared->statistics);
    return NULL;
}

static int start_statistics(struct statistics_thread* self, struct shared* shared) {
    self->shared = shared;
    sem_init(&self->over, 0, 0);
    return pthread_create(&self->thread, NULL, keep_statistics, self);
}

static void end_statistics(struct statistics_thread* self) {
    sem_post(&self->over);
    pthread_join(self->thread, NULL);
}

static void run_workload(struct shared* shared, const struct workload* workload) {
    struct workload_run run = {
        .seconds = shared->plan.seconds,
        .threads = shared->plan.threads,
        .seed = shared->plan.seed,
        .params = shared->plan.params,
        .stop = &shared->stop,
        .progress = shared->progress,
        .thread_start = crash_handler_thread,
    };
    shared->began = workload_clock();
    store_release(&shared->phase, (uint32_t)CHILD_RUNNING);  // pairs with the acquire in the supervisor
    int error = workload->run(&run, &shared->outcome.work);
    if (error == ENOMEM) workload_fault("memory", workload->name, "an allocation failed");
    shared->outcome.error = error;
}

static void finish(struct shared* shared) {
    shared->outcome.peak_rss_kib = memory_own_kib(getpid(), "VmHWM");
    store_release(&shared->phase, (uint32_t)CHILD_FINISHED);  // pairs with the acquire in the supervisor
}

int child_main(int argc, char** argv) {
    uint64_t memory_fd, notify_fd;
    if (argc != 2 || !parse_number(argv[0], 3, INT32_MAX, &memory_fd) ||
        !parse_number(argv[1], 3, INT32_MAX, &notify_fd))
        return usage_error(CHILD_VERB " is for internal use; see: hakstress --help");
    struct shared* shared = shared_open((int)memory_fd);
    if (shared == NULL) return usage_error(CHILD_VERB " is for internal use: %s", strerror(errno));
    close((int)memory_fd);
    const struct workload* workload = workload_find(shared->plan.workload);
    if (workload == NULL) return usage_error("there is no workload '%s'", shared->plan.workload);
    if (crash_handler_install(shared, (int)notify_fd) != 0)
        return missing_error("cannot install signal handlers: %s", strerror(errno));
    crash_handler_thread();
    hak_ring_attach(shared_ring(shared), shared->plan.ring_records);
    struct statistics_thread statistics;
    int error = start_statistics(&statistics, shared);
    if (error != 0) return missing_error("cannot start a thread: %s", strerror(error));
    run_workload(shared, workload);
    end_statistics(&statistics);
    finish(shared);
    // The process ends by exit_group: no exit handler runs in what the workload may have damaged.
    _exit(STATUS_OK);
}
