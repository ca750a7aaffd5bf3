// A static program that uses every name of the C library that has to do with its malloc, and much else that allocates:
// the C library's allocator must not be linked in.
#include <dirent.h>
#include <locale.h>
#include <malloc.h>
#include <mcheck.h>
#include <pthread.h>
#include <regex.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

#include <hakmem/hakmem.h>

static int wrong;

static void check(bool holds, const char* what) {
    if (holds) return;
    fprintf(stderr, "family: %s\n", what);
    wrong++;
}
#define CHECK(condition) check(condition, #condition)

// Checks whose block it is, and frees it.
static void take(const char* what, void* p) {
    char text[200] = "";
    hak_describe(p, text, sizeof text);
    check(p && text[0] && strstr(text, "foreign") == NULL, what);
    free(p);
}
#define TAKE(call) take(#call, call)

static int compare(const void* a, const void* b) {
    return strcmp(a, b);
}

static void no_node(void* node) {
    (void)node;
}

static void* of_thread(void* unused) {
    (void)unused;
    TAKE(malloc(100));
    return NULL;
}

// Names that the C library keeps for itself, and for debuggers of allocators.
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* p, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
void* __libc_valloc(size_t size);
void* __libc_pvalloc(size_t size);
void __libc_free(void* p);
void* __libc_reallocarray(void* p, size_t count, size_t size);

static void own_names_of_libc(void) {
    TAKE(__libc_malloc(10));
    TAKE(__libc_calloc(10, 10));
    TAKE(__libc_realloc(NULL, 10));
    TAKE(__libc_memalign(64, 10));
    TAKE(__libc_valloc(10));
    TAKE(__libc_pvalloc(10));
    TAKE(__libc_reallocarray(NULL, 10, 10));
    __libc_free(malloc(10));
}

static void family(void) {
    void* aligned = NULL;
    TAKE(malloc(10));
    TAKE(calloc(10, 10));
    TAKE(realloc(NULL, 10));
    TAKE(reallocarray(NULL, 10, 10));
    TAKE(memalign(64, 10));
    TAKE(aligned_alloc(64, 64));
    TAKE(valloc(10));
    TAKE(pvalloc(10));
    if (posix_memalign(&aligned, 64, 10) == 0) take("posix_memalign", aligned);
    struct mallinfo2 info = mallinfo2();
    FILE* null = fopen("/dev/null", "w");
    CHECK(info.arena != 0 && malloc_info(0, null) == 0);
    CHECK(mallopt(M_MMAP_THRESHOLD, 1 << 20) == 1);
    fclose(null);
    malloc_trim(0);
    CHECK(malloc_usable_size(aligned = malloc(10)) >= 10);
    free(aligned);
}

// These do nothing since the C library has no malloc hooks any more.
static void debuggers(void) {
    mtrace();
    muntrace();
    CHECK(mcheck(NULL) == -1 && mcheck_pedantic(NULL) == -1);
    CHECK(mprobe(NULL) == MCHECK_DISABLED);
    mcheck_check_all();
}

// Allocations by the C library itself.
static void of_libc(void) {
    char* text = NULL;
    size_t size = 0;
    wchar_t* wide = wcsdup(L"wide");
    TAKE(strdup("text"));
    TAKE(strndup("text", 2));
    take("wcsdup", wide);
    if (asprintf(&text, "%d %s", 1, "text") > 0) take("asprintf", text);
    TAKE(getcwd(NULL, 0));
    TAKE(realpath("/proc/self/..", NULL));
    FILE* memory = open_memstream(&text, &size);
    fprintf(memory, "%0500d", 1);
    fclose(memory);
    take("open_memstream", text);
    FILE* status = fopen("/proc/self/status", "r");
    text = NULL;
    CHECK(getline(&text, &size, status) > 0);
    fclose(status);
    take("getline", text);
    struct dirent** names = NULL;
    int count = scandir("/proc/self", &names, NULL, alphasort);
    for (int i = 0; i < count; i++) take("an entry of scandir", names[i]);
    take("scandir", names);
    static char rows[4000][64];
    qsort(rows, 4000, 64, compare);
    regex_t pattern;
    CHECK(regcomp(&pattern, "(a|b)*c{2,3}", REG_EXTENDED) == 0);
    regfree(&pattern);
    setenv("ARCHIVE_TEST", "1", 1);
    setlocale(LC_ALL, "C.UTF-8");
    void* tree = NULL;
    CHECK(tsearch("key", &tree, compare) != NULL);
    tdestroy(tree, no_node);
}

static void of_processes(void) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, of_thread, NULL) == 0 && pthread_join(thread, NULL) == 0);
    pid_t child = fork();
    if (child == 0) _exit(wrong);
    int status = 1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    FILE* command = popen("true", "r");
    CHECK(command && pclose(command) == 0);
}

int main(void) {
    family();
    debuggers();
    own_names_of_libc();
    of_libc();
    of_processes();
    printf("%d wrong\n", wrong);
    return wrong != 0;
}
