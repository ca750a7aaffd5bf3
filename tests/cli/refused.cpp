// Programs whose allocations fail, for test_refused.py: refused WAY [BYTES]
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char* make_buffer(size_t bytes) {
    char* p = (char*)malloc(bytes);
    p[0] = 1;
    return p;
}

static char* grow(char* p, size_t bytes) {
    p = (char*)realloc(p, bytes);
    if (p == NULL) abort();
    return p;
}

static int count_failures(int count) {
    int failed = 0;
    for (int i = 0; i < count; i++) {
        errno = 0;
        void* p = i % 2 ? calloc(3, 7) : aligned_alloc(64, 64);
        if (p == NULL && errno != ENOMEM) return 200;
        failed += p == NULL;
        free(p);
    }
    return failed;
}

static int catch_it(size_t bytes) {
    try {
        delete[] new char[bytes];
    } catch (const std::bad_alloc&) {
        char* none = new (std::nothrow) char[bytes];
        return none == NULL ? 42 : 43;
    }
    return 0;
}

int main(int count, char** words) {
    const char* way = count > 1 ? words[1] : "";
    size_t bytes = count > 2 ? (size_t)atol(words[2]) : 0;
    if (strcmp(way, "write") == 0) make_buffer(bytes);
    if (strcmp(way, "grow") == 0) grow(make_buffer(10), bytes);
    if (strcmp(way, "throw") == 0) delete[] new char[bytes];
    if (strcmp(way, "catch") == 0) return catch_it(bytes);
    if (strcmp(way, "count") == 0) return count_failures((int)bytes);
    if (strcmp(way, "count-in-child") == 0) {
        int own = count_failures((int)bytes), status = 0;
        pid_t child = fork();
        if (child == 0) _exit(count_failures((int)bytes));
        waitpid(child, &status, 0);
        return own * 10 + WEXITSTATUS(status);
    }
    if (strcmp(way, "limit") == 0) {
        struct rlimit limit = {bytes, bytes};
        setrlimit(RLIMIT_AS, &limit);
        grow(make_buffer(10), bytes * 2);
    }
    if (strcmp(way, "late") == 0) {
        free(malloc(bytes));
        for (int i = 0; i < 200; i++) free(malloc(10));
        abort();
    }
    return 0;
}
