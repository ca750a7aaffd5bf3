// What hakstress asks of this process: it writes into hak_request, and then a byte of hak_wake (front/wake.h). Who may
// write the memory of a process by the kernel's rules (ptrace(2)) may ask; nobody else can.
//
//   hakstress: asked, wake byte;  waits for done == asked.number in the answer's place
//   a thread:  clears the wake byte; copies `asked`; begun; acts; value, error; done
//
// Two that ask at once overwrite each other: a torn request has a wrong sum and is dropped, and whoever lost the race
// gets no answer. Each number has its place among the answers, so that one does not hide another one.
// Thread-safety: one thread answers a request. Errors: a request that makes no sense is dropped.
#ifndef HAK_CENSUS_REQUEST_H
#define HAK_CENSUS_REQUEST_H

#include "base/atomic.h"

typedef enum { REQUEST_NONE, REQUEST_SET, REQUEST_TRIM, REQUEST_CHECK, REQUEST_PROFILE } HakRequestKind;

enum { REQUEST_TEXT = 108 };

typedef struct {
    uint64_t number;          // drawn at random, not 0
    uint32_t kind;            // HakRequestKind
    char text[REQUEST_TEXT];  // REQUEST_SET: NAME=VALUE
    uint64_t sum;             // request_sum; 0: nothing is asked
} HakAsked;

typedef struct {
    _Atomic uint64_t begun;  // number of the request
    _Atomic uint64_t done;   // the same, once value and error are there
    _Atomic uint64_t value;  // REQUEST_CHECK: invariants that do not hold
    _Atomic uint64_t error;  // an errno number, or 0
} HakAnswer;

enum { ANSWERS = 8 };

typedef struct {
    HakAsked asked;
    HakAnswer answer[ANSWERS];  // by number % ANSWERS
} HakRequest;

extern HAK_INTERNAL HakRequest hak_request;

HAK_INLINE uint64_t request_sum(const HakAsked* asked) {
    const unsigned char* bytes = (const unsigned char*)asked;
    uint64_t sum = UINT64_C(0xcbf29ce484222325);  // FNV-1a
    for (size_t i = 0; i < offsetof(HakAsked, sum); i++) sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
    return sum | 1;
}

#endif
