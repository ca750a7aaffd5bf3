// The memory that supervisor and child share. It outlives the child, so it can be read whatever the child destroys.
//
//   struct shared | debug ring (HakRingFile ...)
//
// Thread-safety: `plan` is written before the child starts. Each other field has one writer, as noted.
// Errors: shared_create returns NULL with errno if there is no memory to share.
#ifndef HAKSTRESS_SHARED_H
#define HAKSTRESS_SHARED_H

#include "observe/crash_record.h"
#include "observe/ring.h"
#include "workload/workload.h"

enum child_phase { CHILD_STARTING, CHILD_RUNNING, CHILD_FINISHED };
enum { STATISTICS_BYTES = 64 << 10 };

struct child_plan {
    char workload[32];
    double seconds;
    uint32_t threads;
    uint32_t ring_records;
    uint64_t seed;
    uint64_t params[WORKLOAD_PARAMS_MAX];
};

struct child_outcome {
    struct workload_result work;
    int32_t error;          // errno of the workload; 0: none
    uint64_t peak_rss_kib;  // without this shared memory
};

// The allocator's statistics as JSON, written about once a second. They remain after a crash. `sequence` is odd while a
// text is being written.
struct child_statistics {
    _Atomic uint32_t sequence;
    char text[STATISTICS_BYTES];
};

struct shared {
    uint64_t bytes;  // of the whole mapping
    struct child_plan plan;
    _Atomic uint32_t stop;   // written by the supervisor: end now
    _Atomic uint32_t phase;  // written by the child, as are the fields below
    double began;            // workload_clock() when the work began; valid from phase CHILD_RUNNING on
    struct child_outcome outcome;
    struct child_statistics statistics;
    CrashRecord crash;
    struct workload_progress progress[WORKLOAD_THREADS_MAX];
};

// Creates and maps the memory; *fd is what the child inherits.
struct shared* shared_create(uint32_t ring_records, int* fd);
// Maps it in the child.
struct shared* shared_open(int fd);
HakRingFile* shared_ring(struct shared* shared);
void shared_close(struct shared* shared);

#endif
