// One process hakstress-explore, which explores one scenario.
// Thread-safety: none. Errors: false after a message.
#ifndef HAKSTRESS_EXPLORE_WORKER_H
#define HAKSTRESS_EXPLORE_WORKER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { EXPLORE_REPLAY_MOST = 65536, EXPLORE_PLACES_MOST = 64 };

struct explore_fault {
    char scenario[64], check[32];
    uint64_t schedules;
    unsigned switches;
    char replayed[16];
    char text[1024];
    char replay[EXPLORE_REPLAY_MOST];
};

struct explore_result {
    uint64_t schedules, pruned, ends;
    bool complete;
    unsigned bound;
    double seconds;
    uint64_t words;     // hash of the words at which it switched
    uint64_t steps;     // bit i: named step i was reached
    uint64_t weakened;  // operations whose order was weaker than the source has it
};

struct explore_worker {
    pid_t pid;
    int output;
    char line[EXPLORE_REPLAY_MOST + 512];
    size_t used;
    bool has_result, has_fault;
    bool has_repeat, same;  // a schedule was repeated, with the events that the string has; its check is in `fault`
    char build[32];         // what it was built from, if it was asked for that
    char learned[EXPLORE_REPLAY_MOST];   // words and lines, if it explored a part; empty: unknown
    char position[EXPLORE_REPLAY_MOST];  // where it stands, if it has not come to its end; empty: unknown
    struct explore_result result;
    struct explore_fault fault;
    size_t place_count;  // of memory orders that can be weakened, if the worker was asked for them
    char place[EXPLORE_PLACES_MOST][32];
    int status;  // after worker_reap: its exit status; -1: it was killed
};

// arguments: after the program's name, ended by NULL.
bool explore_worker_start(struct explore_worker* worker, const char* program, char* const* arguments);
// Reads what the worker has written. false: it has closed its output.
bool explore_worker_read(struct explore_worker* worker);
// Waits for its end.
void explore_worker_reap(struct explore_worker* worker);
// Starts a worker, and reads until its end. Once *stopped is set, the worker is told to stop.
bool explore_worker_run(struct explore_worker* worker, const char* program, char* const* arguments,
                        const volatile sig_atomic_t* stopped);

#endif
