// A random hunt for double frees. Each trial allocates a block among others of its size, frees it, lets threads
// allocate and free for a while, and frees it once more, unless it was handed out again meanwhile. Size, threads (also
// ended ones), the state of the block's slab and the distance are random. The second free must be caught: reported
// (HAKMEM_ON_ERROR=report; without it the process dies with these words) or set aside.
//
//   double_free_hunt [SEED [TRIALS [PER_CENT]]]     SEED 0: a new one. PER_CENT: share that must be caught, default 99
#include "support/family.h"
#include "support/shadow.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    WORKERS = 4,      // threads that live as long as their process; 0 is its first thread
    SHORT_LIVED = 3,  // threads of one trial: those that make the block, free it, and free it again
    THREADS = WORKERS + SHORT_LIVED,
    SIBLINGS_MOST = 1100,
    OTHERS = 400,
    TRIALS_OF_A_PROCESS = 400,
    ASIDE_MOST = 200,  // of a process: beyond 256, and 4 page runs, the library lets go what it set aside first
    RUNS_ASIDE_MOST = 4,
    SHOWN = 20,
    STATUS_MISSED = 3,
};

// --- what a trial does

enum { MAKER, FREER, AGAIN, ROLES };

typedef struct {
    size_t size, alignment;
    unsigned thread[ROLES];  // WORKERS and above: one that ends after its part
    unsigned siblings;       // blocks of the same size that are made with it
    unsigned place;          // its own place among them
    unsigned before, after;  // siblings that are freed before and after it, by `sweeper`
    unsigned sweeper;
    unsigned visitor;  // this thread allocates and frees some of the size before
    unsigned visits;
    unsigned batches, batch;  // what goes on before the second free: so often, so many steps
    unsigned same;            // per cent of these that concern the same size
    bool trims;
} Plan;

// In memory that parent and child share. Only one process writes at a time.
typedef enum { PREPARING, FREEING_AGAIN } Stage;
typedef struct {
    uint64_t attempt, tried, handed_out, reported, set_aside, runs_aside, missed, died;
    Stage stage;
    char plan[512];   // of the trial that goes on
    char state[256];  // of the block and its slab, before the second free
} Shared;
static Shared* shared;

static uint64_t seed, wanted;

static size_t random_size(Random* r) {
    uint64_t kind = random_below(r, 100);
    if (kind < 40) return 1 + random_below(r, 256);
    if (kind < 75) return 257 + random_below(r, 16384 - 256);
    if (kind < 93) return 16385 + random_below(r, (1 << 20) - 16384);
    return (1 << 20) + 1 + random_below(r, 3 << 20);
}

static unsigned random_siblings(Random* r, size_t size) {
    size_t in_slab = size < 32 ? 2048 : 65536 / size;
    size_t most = random_below(r, 4) == 0 ? in_slab + 40 : in_slab < 40 ? in_slab + 2 : 40;  // a quarter fills slabs
    if (size > 16384) most = size > 1 << 20 ? 1 : 8;
    return (unsigned)random_below(r, (most < SIBLINGS_MOST ? most : SIBLINGS_MOST) + 1);
}

static unsigned random_thread(Random* r, unsigned role) {
    return random_below(r, 4) == 0 ? WORKERS + role : (unsigned)random_below(r, WORKERS);
}

static Plan random_plan(Random* r) {
    Plan plan = {.size = random_size(r)};
    plan.alignment = random_below(r, 10) == 0 ? (size_t)1 << random_below(r, 13) : 0;
    for (unsigned role = 0; role < ROLES; role++) plan.thread[role] = random_thread(r, role);
    if (random_below(r, 2) == 0 && plan.thread[MAKER] < WORKERS) plan.thread[FREER] = plan.thread[MAKER];
    if (random_below(r, 2) == 0 && plan.thread[FREER] < WORKERS) plan.thread[AGAIN] = plan.thread[FREER];
    plan.siblings = random_siblings(r, plan.size);
    plan.place = (unsigned)random_below(r, plan.siblings + 1);
    plan.before = (unsigned)random_below(r, plan.siblings + 1);
    plan.after = random_below(r, 3) == 0 ? plan.siblings - plan.before
                                         : (unsigned)random_below(r, plan.siblings - plan.before + 1);
    plan.sweeper = random_below(r, 2) == 0 && plan.thread[FREER] < WORKERS ? plan.thread[FREER]
                                                                           : (unsigned)random_below(r, WORKERS);
    plan.visitor = (unsigned)random_below(r, WORKERS);
    plan.visits = random_below(r, 4) == 0 ? 1 + (unsigned)random_below(r, 20) : 0;
    plan.batches = random_below(r, 3) == 0 ? 0 : 1 + (unsigned)random_below(r, 4);
    plan.batch = 1 + (unsigned)random_below(r, 30);
    plan.same = random_below(r, 2) == 0 ? 0 : (unsigned)random_below(r, 60);
    plan.trims = random_below(r, 30) == 0;
    return plan;
}

static void describe(const Plan* plan) {
    const char* who[ROLES];
    for (unsigned role = 0; role < ROLES; role++) who[role] = plan->thread[role] < WORKERS ? "" : ", which ended";
    snprintf(shared->plan, sizeof shared->plan,
             "%zu bytes, alignment %zu: made by thread %u%s; freed by %u%s, then by %u; of %u siblings thread %u freed "
             "%u before and %u after; %u visits of thread %u before; %u times %u steps between, %u %% of the size%s",
             plan->size, plan->alignment, plan->thread[MAKER], who[MAKER], plan->thread[FREER], who[FREER],
             plan->thread[AGAIN], plan->siblings, plan->sweeper, plan->before, plan->after, plan->visits, plan->visitor,
             plan->batches, plan->batch, plan->same, plan->trims ? ", malloc_trim" : "");
}

// --- threads, of which one works at a time

typedef struct {
    pthread_t thread;
    sem_t go, done;
    void (*work)(void);  // NULL: end
} Worker;
static Worker workers[THREADS];

static void wait_for(sem_t* semaphore) {
    while (sem_wait(semaphore) != 0) CHECK(errno == EINTR, "sem_wait");
}

static void* serve(void* argument) {
    Worker* me = argument;
    for (;;) {
        wait_for(&me->go);
        if (me->work == NULL) return NULL;
        me->work();
        sem_post(&me->done);
    }
}

static void start_thread(unsigned t) {
    sem_init(&workers[t].go, 0, 0);
    sem_init(&workers[t].done, 0, 0);
    workers[t].thread = test_thread(serve, &workers[t]);
}

static void end_thread(unsigned t) {
    workers[t].work = NULL;
    sem_post(&workers[t].go);
    pthread_join(workers[t].thread, NULL);
}

static void in_thread(unsigned t, void (*work)(void)) {
    if (t == 0) {
        work();
        return;
    }
    workers[t].work = work;
    sem_post(&workers[t].go);
    wait_for(&workers[t].done);
}

// --- blocks

typedef struct {
    char* p;
    size_t size;  // usable
} Block;

static Random dice;
static Plan plan;
static Block victim;                     // p NULL: it is not free
static bool handed_out;                  // the victim, again
static Block family[SIBLINGS_MOST + 2];  // the victim and its siblings
static Block others[OTHERS];
static unsigned swept_from, swept_to;

static bool overlap(const Block* a, const Block* b) {
    return a->p < b->p + b->size && b->p < a->p + a->size;
}

// What a program leaves in a block's first word when it frees it.
static void write_some(const Block* b) {
    uint64_t word = 0;
    switch (random_below(&dice, 5)) {
    case 0: return;
    case 1: word = random_below(&dice, 1000); break;
    case 2: word = UINT64_C(0x2074786574206120); break;
    case 3: word = (uintptr_t)others[random_below(&dice, OTHERS)].p; break;
    default: break;
    }
    memcpy(b->p, &word, b->size < sizeof word ? b->size : sizeof word);
}

static Block take(size_t size, size_t alignment) {
    char* p = alignment ? t_memalign(alignment, size) : t_malloc(size);
    CHECK(p != NULL, "no memory for %zu bytes", size);
    Block b = {p, t_usable_size(p)};
    if (victim.p != NULL && overlap(&b, &victim)) handed_out = true;
    shadow_add(b.p, b.size);
    write_some(&b);
    return b;
}

static void give(Block* b) {
    if (b->p == NULL) return;
    shadow_remove(b->p, b->size);
    t_free(b->p);
    b->p = NULL;
}

static void make_family(void) {
    for (unsigned i = 0; i <= plan.siblings; i++) family[i] = take(plan.size, i == plan.place ? plan.alignment : 0);
}

static void visit(void) {
    Block some[20];
    for (unsigned i = 0; i < plan.visits; i++) some[i] = take(plan.size, 0);
    for (unsigned i = 0; i < plan.visits; i++) give(&some[i]);
}

static void sweep(void) {
    for (unsigned i = swept_from; i < swept_to; i++)
        if (i != plan.place) give(&family[i]);
}

static void free_once(void) {
    Block* b = &family[plan.place];
    write_some(b);
    victim = *b;
    give(b);
}

static void free_again(void) {
    t_free(victim.p);
}

static void go_on(void) {
    for (unsigned i = 0; i < plan.batch && !handed_out; i++) {
        Block* b = &others[random_below(&dice, OTHERS)];
        bool same = random_below(&dice, 100) < plan.same;
        if (b->p != NULL)
            give(b);
        else
            *b = take(same                      ? plan.size
                      : random_below(&dice, 20) ? 1 + random_below(&dice, 3000)
                                                : random_size(&dice),
                      0);
    }
}

// --- whether it was caught

// A counter of the statistics; 0: there is none of this name.
static uint64_t counter(const char* json, const char* key) {
    const char* at = strstr(json, key);
    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

typedef struct {
    uint64_t reported, set_aside;
} Told;

static size_t (*stats_json)(char*, size_t);
static size_t (*describe_address)(const void*, char*, size_t);

static void find_functions(void) {
    void *json = test_symbol("hak_stats_json"), *describe_it = test_symbol("hak_describe");
    CHECK(json != NULL && describe_it != NULL, "run this under libhakmem");
    memcpy(&stats_json, &json, sizeof stats_json);  // C11 has no cast from an object pointer to a function pointer
    memcpy(&describe_address, &describe_it, sizeof describe_address);
}

static Told told(void) {
    static char text[65536];
    size_t length = stats_json(text, sizeof text);
    CHECK(length < sizeof text, "hak_stats_json wants %zu bytes", length);
    return (Told){counter(text, "\"free_refused\":"), counter(text, "\"free_set_aside\":")};
}

static void judge(void) {
    Told before = told();
    describe_address(victim.p, shared->state, sizeof shared->state);
    shared->stage = FREEING_AGAIN;
    in_thread(plan.thread[AGAIN], free_again);
    shared->stage = PREPARING;
    Told after = told();
    shared->tried++;
    if (after.reported > before.reported) {
        shared->reported++;
    } else if (after.set_aside > before.set_aside) {
        shared->set_aside++;
        shared->runs_aside += plan.size > 16384;
    } else {
        shared->missed++;
        _exit(STATUS_MISSED);  // the block is free twice from now on
    }
}

// --- a process with its trials

static void free_and_go_on(void) {
    unsigned others_end = plan.siblings + 1;
    swept_from = 0, swept_to = plan.before;
    in_thread(plan.sweeper, sweep);
    in_thread(plan.thread[FREER], free_once);
    if (plan.thread[FREER] >= WORKERS) end_thread(plan.thread[FREER]);
    swept_from = plan.before;
    swept_to = plan.before + plan.after < others_end ? plan.before + plan.after + 1 : others_end;
    in_thread(plan.sweeper, sweep);
    for (unsigned i = 0; i < plan.batches; i++) in_thread((unsigned)random_below(&dice, WORKERS), go_on);
    if (plan.trims) t_trim(0);
}

static void try_once(uint64_t attempt) {
    dice.state = seed * 1000003 + attempt;
    plan = random_plan(&dice);
    describe(&plan);
    // Threads begin before the block is free, because that allocates.
    for (unsigned role = 0; role < ROLES; role++)
        if (plan.thread[role] >= WORKERS) start_thread(plan.thread[role]);
    in_thread(plan.thread[MAKER], make_family);
    if (plan.thread[MAKER] >= WORKERS) end_thread(plan.thread[MAKER]);
    in_thread(plan.visitor, visit);
    free_and_go_on();
    if (handed_out)
        shared->handed_out++;
    else
        judge();
    if (plan.thread[AGAIN] >= WORKERS) end_thread(plan.thread[AGAIN]);
    victim.p = NULL;
    handed_out = false;
    for (unsigned i = 0; i <= plan.siblings; i++) give(&family[i]);
}

static void end_process(Told expected) {
    for (unsigned i = 0; i < OTHERS; i++) give(&others[i]);
    Told all = told();
    CHECK(all.reported == expected.reported, "%llu frees were reported, and %llu of them were wrong",
          (unsigned long long)all.reported, (unsigned long long)expected.reported);
    CHECK(all.set_aside == expected.set_aside, "%llu blocks were set aside, and %llu of them had been freed twice",
          (unsigned long long)all.set_aside, (unsigned long long)expected.set_aside);
    test_check_heap();
    _exit(0);
}

static void child(void) {
    Shared at_start = *shared;
    Told expected;
    shadow_start();
    for (unsigned t = 1; t < WORKERS; t++) start_thread(t);
    for (unsigned i = 0; i < OTHERS; i += 2) others[i] = take(1 + random_below(&dice, 3000), 0);
    for (unsigned i = 0; i < TRIALS_OF_A_PROCESS && shared->tried < wanted; i++) {
        try_once(shared->attempt++);
        if (shared->set_aside - at_start.set_aside >= ASIDE_MOST) break;
        if (shared->runs_aside - at_start.runs_aside >= RUNS_ASIDE_MOST) break;
    }
    expected.reported = shared->reported - at_start.reported;
    expected.set_aside = shared->set_aside - at_start.set_aside;
    end_process(expected);
}

// --- all processes

static char words[4096];  // the end of what the process wrote on stderr

static void read_words(int fd) {
    off_t size = lseek(fd, 0, SEEK_END), most = sizeof words - 1;
    ssize_t length = pread(fd, words, sizeof words - 1, size > most ? size - most : 0);
    words[length > 0 ? length : 0] = '\0';
}

static const char* last_line(void) {
    const char* line = words;
    for (const char* at = words; *at != '\0'; at++)
        if (*at == '\n' && at[1] != '\0') line = at + 1;
    return line;
}

static bool words_tell(void) {
    const char* line = last_line();
    return strstr(line, "check=double_free ") || strstr(line, "check=invalid_free ") ||
           strstr(line, "check=interior_free ");
}

static void show_missed(void) {
    if (shared->missed <= SHOWN)
        test_say("missed: trial %llu: %s: %s", (unsigned long long)shared->attempt - 1, shared->state, shared->plan);
}

static void count(int status) {
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
    if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_MISSED) {
        show_missed();
        return;
    }
    bool at_free = shared->stage == FREEING_AGAIN;
    if (!WIFSIGNALED(status) || !at_free)
        test_say("trial %llu: %s", (unsigned long long)shared->attempt - 1, shared->plan);
    CHECK(WIFSIGNALED(status) && at_free, "wait status %#x, not at a second free; the last line: %s", (unsigned)status,
          last_line());
    shared->stage = PREPARING;
    shared->tried++;
    if (WTERMSIG(status) == SIGABRT && words_tell()) {
        shared->died++;
    } else {
        shared->missed++;
        show_missed();
    }
}

// The library writes messages into a file that is open for appending, wherever descriptor 2 led at the start.
static void run_process(void) {
    int log = memfd_create("stderr", MFD_CLOEXEC);
    CHECK(log >= 0 && fcntl(log, F_SETFL, O_APPEND) == 0, "memfd_create");
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) {
        dup2(log, STDERR_FILENO);
        alarm(120);
        child();
    }
    int status;
    while (waitpid(pid, &status, 0) < 0) CHECK(errno == EINTR, "waitpid");
    read_words(log);
    close(log);
    count(status);
}

int main(int argc, char** argv) {
    seed = test_argument(argc, argv, 1, 0);
    wanted = test_argument(argc, argv, 2, 2000);
    uint64_t per_cent = test_argument(argc, argv, 3, 99);
    if (seed == 0) seed = test_random_seed();
    test_start("double_free_hunt", seed);
    find_functions();
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED, "no shared memory");
    while (shared->tried < wanted) run_process();
    uint64_t caught = shared->reported + shared->died + shared->set_aside;
    test_say("double_free_hunt: %llu double frees: %llu reported, %llu set aside, %llu missed: %.2f %% caught",
             (unsigned long long)shared->tried, (unsigned long long)(shared->reported + shared->died),
             (unsigned long long)shared->set_aside, (unsigned long long)shared->missed,
             100.0 * (double)caught / (double)shared->tried);
    test_say("double_free_hunt: in %llu more trials the block was handed out again before",
             (unsigned long long)shared->handed_out);
    CHECK(caught * 100 >= shared->tried * per_cent, "less than %llu %% caught", (unsigned long long)per_cent);
    return 0;
}
