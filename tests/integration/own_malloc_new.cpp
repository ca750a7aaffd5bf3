// C++ in a program with malloc and free of its own: the operators call them, as those of the C++ library do.
#include "integration/own_malloc.h"

#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <unistd.h>
#include <vector>

static void check(bool holds, const char* what) {
    if (holds && own_wrong == 0) return;
    std::fprintf(stderr, "own_malloc_new: %s: %d allocated, %d freed\n", what, own_allocated, own_freed);
    _exit(1);
}

template <typename Body> static void through_own(const char* what, int least, Body body) {
    int allocated = own_allocated, freed = own_freed;
    body();
    allocated = own_allocated - allocated, freed = own_freed - freed;
    check(allocated == freed && allocated >= least, what);
}

int main() {
    struct Widget {
        int numbers[10];
        ~Widget() {
            numbers[0] = 0;
        }
    };
    struct alignas(128) Wide {
        char bytes[128];
    };
    Widget* volatile keep;  // no pair is optimised away
    Wide* volatile wide;
    const std::size_t eight{8};
    through_own("new and sized delete", 1, [&] { keep = new Widget, delete keep; });
    through_own("new[] and delete[]", 1, [&] { keep = new Widget[7], delete[] keep; });
    through_own("nothrow new", 1, [&] { keep = new (std::nothrow) Widget, delete keep; });
    through_own("nothrow new[]", 1, [&] { keep = new (std::nothrow) Widget[7], delete[] keep; });
    through_own("delete", 1, [&] { ::operator delete(::operator new(eight)); });
    through_own("delete, nothrow", 1, [&] { ::operator delete(::operator new(eight), std::nothrow); });
    through_own("delete[], nothrow", 1, [&] { ::operator delete[](::operator new[](eight), std::nothrow); });
    through_own("sized delete[]", 1, [&] { ::operator delete[](::operator new[](eight), eight); });
    through_own("new of malloc's", 1, [&] { std::free(::operator new(eight)); });
    through_own("delete of malloc's", 1, [&] { ::operator delete(std::malloc(eight)); });
    through_own("delete of NULL", 0, [&] { ::operator delete(static_cast<void*>(nullptr)); });
    through_own("a vector", 1, [] { std::vector<int> numbers(1000, 1); });
    through_own("a string", 1, [] { std::string text(1000, 'a'); });
    // aligned ones: no free gets a block that it does not know
    through_own("aligned new", 0, [&] { wide = new Wide, delete wide; });
    through_own("aligned new[]", 0, [&] { wide = new Wide[3], delete[] wide; });
    through_own("aligned nothrow new", 0, [&] { wide = new (std::nothrow) Wide, delete wide; });
    through_own("aligned, nothrow delete", 0, [&] {
        const std::align_val_t of{4096};
        ::operator delete(::operator new(100, of), of, std::nothrow);
        ::operator delete[](::operator new[](100, of), std::size_t{100}, of);
    });
    bool thrown = false;
    try {
        ::operator delete(::operator new (std::size_t{1} << 60));
    } catch (const std::bad_alloc&) {
        thrown = true;
    }
    check(thrown, "bad_alloc");
    check(::operator new (std::size_t{1} << 60, std::nothrow) == nullptr, "nothrow new that fails");
    return 0;
}
