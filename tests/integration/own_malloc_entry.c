// A program that defines nothing of malloc, but takes the addresses of its functions, and is not position-independent.
// Every lookup of their names then finds an entry in the program, although no other malloc is in force.
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void) {
    void* (*volatile allocate)(size_t) = malloc;
    void (*volatile give_back)(void*) = free;
    void* (*volatile resize)(void*, size_t) = realloc;
    test_start("own_malloc_entry", 0);
    int messages = memfd_create("messages", 0), standard_error = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    CHECK(messages >= 0 && standard_error >= 0, "errno %d", errno);
    dup2(messages, STDERR_FILENO);
    char* block = calloc(10, 10);
    char* page = valloc(100);
    dup2(standard_error, STDERR_FILENO);
    CHECK(lseek(messages, 0, SEEK_END) == 0, "something was said");
    CHECK(malloc_usable_size(block) >= 100, "%zu", malloc_usable_size(block));
    block = reallocarray(block, 10, 100);
    block = resize(block, 5000);
    CHECK(malloc_usable_size(block) >= 5000, "%zu", malloc_usable_size(block));
    give_back(block);
    give_back(page);
    free(allocate(10));
    return 0;
}
