// A handler of SIGSEGV may throw (-fnon-call-exceptions): the exception passes through the library's handlers, and the
// next fault finds everything as it was: it is told if it is in a sampled block, and the program's handlers are called.
//
//   sample_throws     needs libhakmem preloaded, with HAKMEM_SAMPLE=1; exit status 0, and six faults are told
#include <csignal>
#include <cstdio>
#include <cstdlib>

enum { TIMES = 3 };

static struct sigaction found;
static int thrown;
static volatile char sink;

static void throw_it(int, siginfo_t*, void*) {
    thrown++;
    throw thrown;
}

static void pass_on(int number, siginfo_t* info, void* context) {
    found.sa_sigaction(number, info, context);
    std::puts("sample_throws: FAILED: the handler came back");
    std::_Exit(1);
}

static void install(void (*handler)(int, siginfo_t*, void*), struct sigaction* old) {
    struct sigaction action = {};
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigaction(SIGSEGV, &action, old);
}

static char* volatile p;

static void expect_fault() {
    int before = thrown;
    try {
        sink = *static_cast<volatile char*>(p);
    } catch (int) {}
    if (thrown == before + 1) return;
    std::printf("sample_throws: FAILED: %d handlers called, not %d\n", thrown, before + 1);
    std::_Exit(1);
}

static void drop_block() {
    p = static_cast<char*>(std::malloc(32));
    std::free(p);
}

int main() {
    install(throw_it, nullptr);
    for (int i = 0; i < TIMES; i++) {
        drop_block();
        expect_fault();
    }
    install(pass_on, &found);
    p = reinterpret_cast<char*>(8);
    for (int i = 0; i < TIMES; i++) expect_fault();
    drop_block();
    for (int i = 0; i < TIMES; i++) expect_fault();
    std::puts("sample_throws: ok");
    return 0;
}
