// Preloaded into hakstress by the tests of its reports. INJECT says what happens to the child:
//   stack    a thread uses up its stack
//   handler  the crash handler dies, where it asks the system whether the stack can be read
//   stderr   stderr is closed
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static bool is_child;

static bool wanted(const char* what) {
    const char* injection = getenv("INJECT");
    return is_child && injection != NULL && strcmp(injection, what) == 0;
}

__attribute__((constructor)) static void look(int argc, char** argv) {
    is_child = argc > 1 && strcmp(argv[1], "--run-planned-workload") == 0;
    if (wanted("stderr")) close(STDERR_FILENO);
}

// From here on, the thread dies of rt_sigprocmask with this first argument, which changes nothing.
static void forbid_question(void) {
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigprocmask, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, UINT32_MAX, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = sizeof program / sizeof program[0], .filter = program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0);
}

static int open_file(const char* path, int flags, mode_t mode) {
    if (wanted("handler") && strcmp(path, "/proc/self/task") == 0) forbid_question();
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open64(const char* path, int flags, ...);
int open64(const char* path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open_file(path, flags, mode);
}

__attribute__((noinline)) static int descend(volatile int depth) {
    volatile char frame[4096];
    frame[0] = (char)depth;
    return depth < 0 ? frame[0] : descend(depth + 1) + frame[0];
}

// The thread that keeps the child's statistics waits here.
int sem_clockwait(sem_t* restrict semaphore, clockid_t clock, const struct timespec* restrict until) {
    int (*standard)(sem_t*, clockid_t, const struct timespec*);
    *(void**)&standard = dlsym(RTLD_NEXT, "sem_clockwait");
    if (wanted("stack")) descend(0);
    return standard(semaphore, clock, until);
}
