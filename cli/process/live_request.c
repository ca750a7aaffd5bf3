#include "process/live_request.h"

#include "base/seed.h"
#include "front/wake.h"

#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void pause_briefly(void) {
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

static bool write_there(const struct live_process* process, uint64_t at, const void* from, size_t bytes) {
    HakLive now;
    // An exec may have put another program in its place.
    if (!process_memory_read(&process->memory, process->address, &now, sizeof now) ||
        memcmp(&now, &process->live, sizeof now) != 0)
        return false;
    struct iovec here = {.iov_base = (void*)(uintptr_t)from, .iov_len = bytes};
    struct iovec there = {.iov_base = (void*)(uintptr_t)at, .iov_len = bytes};
    return process_vm_writev(process->memory.pid, &here, 1, &there, 1, 0) == (ssize_t)bytes;
}

static bool set_asked(const struct live_process* process, const HakAsked* asked, uint8_t wake) {
    uint64_t request = (uint64_t)(uintptr_t)process->live.request, word = (uint64_t)(uintptr_t)process->live.wake;
    return write_there(process, request + offsetof(HakRequest, asked), asked, sizeof *asked) &&
           write_there(process, word + WAKE_REQUEST_BYTE, &wake, 1);
}

static bool look(const struct live_process* process, uint64_t number, HakAnswer* out) {
    uint64_t request = (uint64_t)(uintptr_t)process->live.request;
    uint64_t at = request + offsetof(HakRequest, answer) + number % ANSWERS * sizeof *out;
    return process_memory_read(&process->memory, at, out, sizeof *out);
}

// False: it is not answered in time, or the process cannot be read any more.
static bool wait_for(const struct live_process* process, uint64_t number, double until, HakAnswer* seen) {
    while (look(process, number, seen)) {
        if (load_relaxed(&seen->done) == number) return true;
        if (seconds_now() >= until) return false;
        pause_briefly();
    }
    return false;
}

// Nobody has to begin it from here on. A thread that has just begun it is waited for.
static enum request_end withdraw(const struct live_process* process, uint64_t number, HakAnswer* seen) {
    enum { PATIENCE = 60 };
    const HakAsked nothing = {.number = 0};
    if (!set_asked(process, &nothing, 0)) return REQUEST_REFUSED;
    pause_briefly();
    if (!look(process, number, seen)) return REQUEST_REFUSED;
    if (load_relaxed(&seen->begun) != number) return REQUEST_SILENT;
    return wait_for(process, number, seconds_now() + PATIENCE, seen) ? REQUEST_DONE : REQUEST_RUNNING;
}

enum request_end live_request(const struct live_process* process, HakRequestKind kind, const char* text, double wait,
                              struct request_answer* out) {
    HakAnswer seen;
    HakAsked asked = {.number = (uint64_t)fresh_seed() << 32 | fresh_seed() | 1, .kind = (uint32_t)kind};
    double start = seconds_now();
    snprintf(asked.text, sizeof asked.text, "%s", text);
    asked.sum = request_sum(&asked);
    if (!set_asked(process, &asked, 1)) return REQUEST_REFUSED;
    enum request_end end =
        wait_for(process, asked.number, start + wait, &seen) ? REQUEST_DONE : withdraw(process, asked.number, &seen);
    if (end == REQUEST_DONE)
        *out = (struct request_answer){
            .error = load_relaxed(&seen.error), .value = load_relaxed(&seen.value), .seconds = seconds_now() - start};
    return end;
}
