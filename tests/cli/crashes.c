// Programs that end in every way that hakstress run distinguishes: crashes WAY [ARGUMENT...]
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <fcntl.h>
#include <time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const char* self;
static sigjmp_buf back;

static void write_to(volatile int* p) {
    *p = 1;
}

static void die_at_null(void) {
    write_to(NULL);
}

static void use_memory(void) {
    char* p = malloc(100);
    if (p == NULL) exit(3);
    memset(p, 'm', 100);
    free(p);
}

static void* in_thread(void* argument) {
    (void)argument;
    use_memory();
    die_at_null();
    return NULL;
}

static void* briefly(void* argument) {
    free(malloc((size_t)argument % 500));
    return NULL;
}

static void* sleep_on(void* argument) {
    use_memory();
    for (;;) pause();
    return argument;
}

static pthread_t thread(void* (*run)(void*), size_t argument) {
    pthread_t made;
    if (pthread_create(&made, NULL, run, (void*)argument) != 0) exit(3);
    return made;
}

// From here on the files of the run cannot be opened by name.
static void change(const char* what) {
    if (strcmp(what, "root") == 0 ? chroot("/proc/self/fdinfo") != 0 || chdir("/") != 0
                                  : setresuid(65534, 65534, 65534) != 0)
        exit(4);
}

// A child, or a child of a child, that a check stops.
static void free_twice_far_away(int generations) {
    char* p = malloc(100);
    if (generations > 0) {
        pid_t child = fork();
        int status = 0;
        if (child == 0) free_twice_far_away(generations - 1);
        waitpid(child, &status, 0);
        _exit(WIFSIGNALED(status) ? 7 : WEXITSTATUS(status));
    }
    free(p);
    free(p);
    _exit(5);
}

static int reap(pid_t child) {
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) exit(3);
    return status;
}

static void jump_back(int number) {
    siglongjmp(back, number);
}

static void crash_too(int number) {
    (void)number;
    write_to((int*)16);
}

static void raise_again(int number) {
    signal(number, SIG_DFL);
    raise(number);
}

static void handle(void (*handler)(int)) {
    static char stack[64 << 10];
    stack_t on = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    if (sigaltstack(&on, NULL) != 0 || sigaction(SIGSEGV, &action, NULL) != 0) exit(3);
}

static unsigned char overflow(unsigned depth) {
    volatile unsigned char frame[4096];
    frame[depth % sizeof frame] = (unsigned char)depth;
    return (unsigned char)(overflow(depth + 1) + frame[1]);
}

// Faults that the program survives, again and again.
static void recover(void) {
    handle(jump_back);
    for (volatile int i = 0; i < 200; i++) {
        if (sigsetjmp(back, 1) == 0) die_at_null();
    }
}

static void use_freed(size_t bytes) {
    char* volatile p = malloc(bytes);
    free(p);
    p[bytes / 2] = 1;
}

// A handler that lets the program die: the wrong access is made once more.
static void give_up(int number) {
    signal(number, SIG_DFL);
}

static int recover_from_freed(size_t bytes) {
    handle(jump_back);
    for (volatile int i = 0; i < 3; i++) {
        if (sigsetjmp(back, 1) == 0) use_freed(bytes);
    }
    return 5;
}

// A program may close and open blocks of its own.
static int close_own(void) {
    char* block = aligned_alloc(4096, 1 << 20);
    if (block == NULL || mprotect(block, 1 << 20, PROT_NONE) != 0) return 3;
    handle(jump_back);
    if (sigsetjmp(back, 1) == 0) ((volatile char*)block)[5000] = 1;
    if (mprotect(block, 1 << 20, PROT_READ | PROT_WRITE) != 0) return 3;
    free(block);
    return 5;
}

static void free_twice(void) {
    void* volatile p = malloc(48);
    free(p);
    free(p);
}

static void free_what_is_not_ours(void) {
    static char text[64];
    char* volatile p = text + 16;
    free(p);
}

static void __attribute__((noinline)) lose(int count, size_t bytes) {
    for (int i = 0; i < count; i++) {
        char* volatile p = malloc(bytes);
        if (p != NULL) *p = 1;
    }
}

static int leak(int count) {
    lose(count, 100);
    pid_t child = fork();
    if (child == 0) {
        lose(2, 100);
        _exit(0);
    }
    lose(1, 1000000);
    return reap(child);
}

static int many_forks(int count) {
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        if (child == 0) {
            use_memory();
            _exit(i % 7);
        }
        if (WEXITSTATUS(reap(child)) != i % 7) return 1;
    }
    return 0;
}

static void* fork_away(void* count) {
    many_forks((int)(size_t)count);
    return NULL;
}

// So many children come and go at once that some have ended before the event of their creation is read.
static int forks_in_threads(int count) {
    pthread_t group[4];
    for (size_t i = 0; i < 4; i++) group[i] = thread(fork_away, (size_t)count);
    for (size_t i = 0; i < 4; i++) pthread_join(group[i], NULL);
    return 0;
}

static void leave(int number) {
    (void)number;
    _exit(0);
}

static volatile sig_atomic_t heard;

static void hear(int number) {
    (void)number;
    heard++;
}

// How often a signal to the own process group arrives.
static int signal_group(int number) {
    struct timespec moment = {.tv_nsec = 200000000};
    if (signal(number, hear) == SIG_ERR || kill(0, number) != 0) return 3;
    while (nanosleep(&moment, &moment) != 0) {}
    return heard;
}

static int many_threads(int count) {
    for (int i = 0; i < count; i += 4) {
        pthread_t group[4];
        for (size_t j = 0; j < 4; j++) group[j] = thread(briefly, (size_t)i + j);
        for (size_t j = 0; j < 4; j++) pthread_join(group[j], NULL);
    }
    return 0;
}

static int be_stopped(void) {
    pid_t child = fork();
    if (child == 0) {
        use_memory();
        raise(SIGSTOP);
        _exit(4);
    }
    int status;
    if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status)) return 1;
    kill(child, SIGCONT);
    return WEXITSTATUS(reap(child)) == 4 ? 0 : 2;
}

static void start_again(char* way) {
    char program[4096];
    snprintf(program, sizeof program, "%s", self);
    char* arguments[] = {program, way, NULL};
    execv(self, arguments);
    _exit(3);
}

// A function of the C library's own malloc, whatever malloc is in use.
static void* of_libc(const char* name) {
    void* libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    void* found = libc != NULL ? dlsym(libc, name) : NULL;
    if (found == NULL) exit(3);
    return found;
}

static void give_to_libc(size_t size, int resize) {
    void (*libc_free)(void*);
    void* (*libc_realloc)(void*, size_t);
    *(void**)&libc_free = of_libc("free");
    *(void**)&libc_realloc = of_libc("realloc");
    char* volatile block = malloc(size);
    memset(block, 'x', size);
    if (resize)
        block = libc_realloc(block, 3 * size);
    else
        libc_free(block);
}

static void* libc_block(void* size) {
    void* (*libc_malloc)(size_t);
    *(void**)&libc_malloc = of_libc("malloc");
    return libc_malloc((size_t)size);
}

static void take_from_libc(size_t size, int in_thread) {
    void* block = NULL;
    block = libc_block((void*)size);
    if (in_thread) pthread_join(thread(libc_block, size), &block);  // the second has an arena of its own
    free(block);
}

int main(int argc, char** argv) {
    const char* way = argc > 1 ? argv[1] : "";
    int number = argc > 2 ? atoi(argv[2]) : 0;
    self = argv[0];
    use_memory();
    if (strcmp(way, "exit") == 0) return number;
    if (strcmp(way, "null") == 0) die_at_null();
    if (strcmp(way, "libc-free") == 0) give_to_libc((size_t)number, 0);
    if (strcmp(way, "libc-realloc") == 0) give_to_libc((size_t)number, 1);
    if (strcmp(way, "libc-malloc") == 0) take_from_libc((size_t)number, 0);
    if (strcmp(way, "libc-malloc-in-thread") == 0) take_from_libc((size_t)number, 1);
    if (strcmp(way, "free-of-stack") == 0) free((void*)((size_t)&number & ~(size_t)15));
    if (strcmp(way, "thread") == 0) {
        thread(sleep_on, 0);
        pthread_join(thread(in_thread, 0), NULL);
    }
    if (strcmp(way, "thread-without-main") == 0) {
        thread(in_thread, 0);
        pthread_exit(NULL);
    }
    if (strcmp(way, "change-root") == 0 || strcmp(way, "change-user") == 0) {
        use_memory();
        change(way + strlen("change-"));
        free_twice_far_away(number);
    }
    if (strcmp(way, "fork") == 0) {
        pid_t child = fork();
        if (child == 0) die_at_null();
        return WIFSIGNALED(reap(child)) ? number : 9;
    }
    if (strcmp(way, "exec") == 0) {
        pid_t child = fork();
        if (child == 0) start_again("fork");
        return reap(child) == 0 ? number : 9;
    }
    if (strcmp(way, "crashes") == 0) {
        for (int i = 0; i < number; i++) {
            pid_t child = fork();
            if (child == 0) die_at_null();
            reap(child);
        }
        return 0;
    }
    if (strcmp(way, "recover") == 0) {
        recover();
        return 5;
    }
    if (strcmp(way, "recover-and-stay") == 0) {
        recover();
        thread(sleep_on, 0);
        for (;;) pause();
    }
    if (strcmp(way, "recover-and-crash-elsewhere") == 0) {
        recover();
        signal(SIGSEGV, SIG_DFL);
        pthread_join(thread(in_thread, 0), NULL);
    }
    if (strcmp(way, "recover-from-freed") == 0) return recover_from_freed((size_t)number);
    if (strcmp(way, "close-own") == 0) return close_own();
    if (strcmp(way, "give-up-on-freed") == 0) {
        handle(give_up);
        use_freed((size_t)number);
    }
    if (strcmp(way, "free-twice") == 0) {
        for (int i = 0; i < number; i++) free_twice();
        return 0;
    }
    if (strcmp(way, "free-twice-and-exec") == 0) {
        free_twice();
        start_again("exit");
    }
    if (strcmp(way, "free-twice-in-child") == 0) {
        pid_t child = fork();
        if (child == 0) {
            free_twice();
            _exit(0);
        }
        return reap(child) == 0 ? number : 9;
    }
    if (strcmp(way, "handler-crash") == 0) {
        handle(crash_too);
        die_at_null();
    }
    if (strcmp(way, "raise-again") == 0) {
        handle(raise_again);
        die_at_null();
    }
    if (strcmp(way, "stack") == 0) return overflow(1);
    if (strcmp(way, "abort") == 0) abort();
    if (strcmp(way, "free") == 0) free_what_is_not_ours();
    if (strcmp(way, "free-silently") == 0) {
        for (int fd = 0; fd < 20; fd++) close(fd);
        free_what_is_not_ours();
    }
    if (strcmp(way, "free-and-leave") == 0) {
        if (signal(SIGABRT, leave) == SIG_ERR) return 3;
        free_what_is_not_ours();
    }
    if (strcmp(way, "group") == 0) return signal_group(number);
    if (strcmp(way, "open") == 0) return fcntl(number, F_GETFD) >= 0;
    if (strcmp(way, "raise") == 0) raise(number);
    if (strcmp(way, "sleep") == 0) sleep_on(NULL);
    if (strcmp(way, "leak") == 0) return leak(number);
    if (strcmp(way, "forks") == 0) return many_forks(number);
    if (strcmp(way, "forks-in-threads") == 0) return forks_in_threads(number);
    if (strcmp(way, "threads") == 0) return many_threads(number);
    if (strcmp(way, "stopped") == 0) return be_stopped();
    if (strcmp(way, "identity") == 0)
        printf("%d %d %d\n", (int)getpgrp(), (int)getppid(), isatty(STDIN_FILENO) ? (int)tcgetpgrp(STDIN_FILENO) : 0);
    if (strcmp(way, "terminate") == 0) {
        if (signal(SIGTERM, jump_back) == SIG_ERR) return 3;
        if (sigsetjmp(back, 1) != 0) return 6;
        puts("ready");
        fflush(stdout);
        for (;;) pause();
    }
    return 0;
}
