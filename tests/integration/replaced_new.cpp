// A program that replaces some of the operators new and delete: the others call those, as the standard requires.
#include <cstdio>
#include <cstdlib>
#include <new>
#include <vector>

static int made, deleted;
enum { HEAD = 64 };  // in front of each block, so that a free by another path fails

void* operator new(std::size_t size) {
    char* block = static_cast<char*>(std::malloc(size + HEAD));
    if (block == nullptr) throw std::bad_alloc();
    made++;
    return block + HEAD;
}

void operator delete(void* block) noexcept {
    if (block == nullptr) return;
    deleted++;
    std::free(static_cast<char*>(block) - HEAD);
}

struct Widget {
    int numbers[10];
    ~Widget() {
        numbers[0] = 0;
    }
};

static void check(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "replaced_new: %s: %d made, %d deleted\n", what, made, deleted);
    std::exit(1);
}

template <typename Body> static void balanced(const char* what, Body body) {
    made = deleted = 0;
    body();
    check(made > 0 && made == deleted, what);
}

int main() {
    Widget* volatile keep;  // no pair is optimised away
    balanced("new and sized delete", [&] { keep = new Widget, delete keep; });
    balanced("new[] and delete[]", [&] { keep = new Widget[7], delete[] keep; });
    balanced("nothrow new", [&] { keep = new (std::nothrow) Widget, delete keep; });
    balanced("nothrow new[]", [&] { keep = new (std::nothrow) Widget[7], delete[] keep; });
    balanced("a sized delete that is called", [] { ::operator delete (::operator new(100), std::size_t{100}); });
    balanced("a vector", [] { std::vector<int> numbers(1000, 1); });
    struct alignas(128) Wide {
        char bytes[128];
    };
    made = deleted = 0;
    Wide* volatile wide = new Wide;  // none of the aligned ones is replaced
    delete wide;
    Wide* volatile row = new Wide[3];
    delete[] row;
    check(made == 0 && deleted == 0, "aligned new");
    return 0;
}
