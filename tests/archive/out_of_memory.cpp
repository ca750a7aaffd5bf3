// operator new without memory, in a program that uses nothing else of libstdc++: the handler is called, and bad_alloc
// is thrown.
#include <cstddef>
#include <cstdio>
#include <new>

static int handled;

static void handler() {
    if (++handled == 3) std::set_new_handler(nullptr);
}

int main() {
    volatile std::size_t much = std::size_t{1} << 60;
    std::set_new_handler(handler);
    try {
        char* volatile p = new char[much];
        std::printf("new gave %p\n", static_cast<void*>(p));
    } catch (const std::bad_alloc&) {
        std::printf("bad_alloc after %d calls of the handler\n", handled);
        return handled != 3;
    }
    return 1;
}
