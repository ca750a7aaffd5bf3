#include "workload/team.h"

#include "workload/alloc.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define LINE 64

struct team {
    const struct workload_run* run;
    const struct team_plan* plan;
    unsigned size;
    pthread_mutex_t mutex;  // guards the fields up to the blank line
    pthread_cond_t all_here;
    unsigned ready, done;
    double started, ended;
    int error;

    _Atomic uint32_t over;  // a thread failed: nobody waits any more
};

// workload_clock(), up to a few milliseconds late, but cheap enough to be read between short bursts of operations.
static double coarse_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void* team_map(size_t size) {
    void* memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static _Noreturn void out_of_memory(const char* call, size_t size) {
    char line[96];
    int length = snprintf(line, sizeof line, "hakstress: %s of %zu bytes gave NULL\n", call, size);
    (void)!write(STDERR_FILENO, line, (size_t)length);  // a failure here cannot be handled
    _exit(3);
}

void* team_malloc(size_t size) {
    void* block = wl_malloc(size);
    if (block == NULL) out_of_memory("malloc", size);
    return block;
}

void* team_calloc(size_t size) {
    void* block = wl_calloc(1, size);
    if (block == NULL) out_of_memory("calloc", size);
    return block;
}

void* team_realloc(void* block, size_t size) {
    void* moved = wl_realloc(block, size);
    if (moved == NULL) out_of_memory("realloc", size);
    return moved;
}

static bool is_over(const struct team* team) {
    return atomic_load_explicit(&team->over, memory_order_relaxed) != 0;
}

static void fail(struct team* team, int error) {
    pthread_mutex_lock(&team->mutex);
    if (team->error == 0) team->error = error;
    atomic_store_explicit(&team->over, 1, memory_order_relaxed);
    pthread_cond_broadcast(&team->all_here);
    pthread_mutex_unlock(&team->mutex);
}

void team_fail(struct team_member* member, int error) {
    fail(member->team, error);
}

// The last thread to arrive takes the start time and lets the others go on.
static void meet(struct team* team, unsigned* count, double* when) {
    pthread_mutex_lock(&team->mutex);
    if (++*count == team->size) {
        *when = workload_clock();
        pthread_cond_broadcast(&team->all_here);
    }
    while (*count < team->size && !is_over(team)) pthread_cond_wait(&team->all_here, &team->mutex);
    pthread_mutex_unlock(&team->mutex);
}

void team_ready(struct team_member* member) {
    meet(member->team, &member->team->ready, &member->team->started);
}

void team_done(struct team_member* member) {
    meet(member->team, &member->team->done, &member->team->ended);
}

bool team_goes_on(struct team_member* member, uint64_t ops) {
    const struct workload_run* run = member->run;
    _Atomic uint64_t* counter = &run->progress[member->lane].ops;
    uint64_t sum = atomic_load_explicit(counter, memory_order_relaxed) + ops;
    atomic_store_explicit(counter, sum, memory_order_relaxed);
    if (is_over(member->team) || atomic_load_explicit(run->stop, memory_order_relaxed) != 0) return false;
    if (run->count != 0) return sum < run->count;
    return coarse_clock() < member->team->started + run->seconds;
}

static void* member_main(void* argument) {
    struct team_member* member = argument;
    if (member->run->thread_start != NULL) member->run->thread_start();
    member->team->plan->work(member);
    return NULL;
}

struct successor {
    const struct workload_run* run;
    void* (*body)(void*);
    void* argument;
};

static void* successor_main(void* argument) {
    const struct successor* successor = argument;
    if (successor->run->thread_start != NULL) successor->run->thread_start();
    return successor->body(successor->argument);
}

int team_thread(struct team_member* member, void* (*body)(void*), void* argument) {
    struct successor successor = {member->run, body, argument};
    pthread_t thread;
    int error = pthread_create(&thread, NULL, successor_main, &successor);
    return error != 0 ? error : pthread_join(thread, NULL);
}

static void start_and_join(struct team* team, struct team_member* members, pthread_t* threads) {
    unsigned started = 1;
    for (; started < team->size; started++) {
        int error = pthread_create(&threads[started], NULL, member_main, &members[started]);
        if (error != 0) {
            fail(team, error);
            break;
        }
    }
    member_main(&members[0]);
    for (unsigned i = 1; i < started; i++) {
        int error = pthread_join(threads[i], NULL);
        if (error != 0) fail(team, error);
    }
}

static uint64_t total_ops(const struct workload_run* run) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < run->threads; i++)
        sum += atomic_load_explicit(&run->progress[i].ops, memory_order_relaxed);
    return sum;
}

static size_t round_up(size_t size) {
    return (size + LINE - 1) / LINE * LINE;
}

int team_run(const struct workload_run* run, const struct team_plan* plan, struct workload_result* result) {
    struct team team = {.run = run, .plan = plan, .size = run->threads * plan->roles};
    pthread_mutex_init(&team.mutex, NULL);  // with glibc these neither fail nor allocate
    pthread_cond_init(&team.all_here, NULL);

    const size_t each = sizeof(struct team_member) + sizeof(pthread_t) + round_up(plan->memory);
    const size_t bytes = round_up(plan->common) + each * team.size;
    char* memory = team_map(bytes);
    if (memory == NULL) return ENOMEM;
    char* next = memory + round_up(plan->common);
    struct team_member* members = (struct team_member*)(void*)next;
    next += team.size * sizeof(struct team_member);
    for (unsigned i = 0; i < team.size; i++) {
        members[i] = (struct team_member){
            .team = &team,
            .run = run,
            .lane = i / plan->roles,
            .role = i % plan->roles,
            .memory = next + i * round_up(plan->memory),
            .common = memory,
        };
        workload_random_seed(&members[i].random, run->seed, i);
    }
    pthread_t* threads = (pthread_t*)(void*)(next + team.size * round_up(plan->memory));
    start_and_join(&team, members, threads);
    munmap(memory, bytes);
    *result = (struct workload_result){.ops = total_ops(run), .seconds = team.ended - team.started};
    return team.error;
}
