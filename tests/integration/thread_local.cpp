// Thread-local objects of C++ whose destructors free and allocate, in threads that come and go, and in the main thread
// at exit. And every operator new and delete.
#include "support/test.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace {

unsigned long ended;

struct Keeper {
    std::vector<std::string> texts;
    char* raw = static_cast<char*>(std::malloc(300));

    Keeper() {
        std::memset(raw, 'r', 300);
    }
    ~Keeper() {
        for (int i = 0; i < 50; i++) texts.emplace_back(std::string(static_cast<std::size_t>(20 + i * 17), 'd'));
        for (const std::string& text : texts)
            CHECK(text.find_first_not_of(text[0]) == std::string::npos, "a text of %zu characters was overwritten",
                  text.size());
        for (int i = 0; i < 300; i++) CHECK(raw[i] == 'r', "byte %d was overwritten before the thread ended", i);
        std::free(raw);
        delete[] new char[100000];
        __atomic_fetch_add(&ended, 1, __ATOMIC_RELAXED);
    }
    void use(int n) {
        texts.emplace_back(std::string(static_cast<std::size_t>(n % 400 + 1), 'u'));
    }
};

thread_local Keeper keeper;

void threads(unsigned count) {
    std::size_t before = 0;
    for (unsigned i = 0; i < count; i++) {
        std::thread one([i] { keeper.use(static_cast<int>(i)); });
        std::thread two([i] {
            for (int n = 0; n < 100; n++) keeper.use(static_cast<int>(i) + n);
        });
        one.join();
        two.join();
        if (i == count / 10) before = rss_bytes();
    }
    std::size_t after = rss_bytes();
    CHECK(__atomic_load_n(&ended, __ATOMIC_RELAXED) == 2UL * count, "%lu destructors ran in %u threads", ended,
          2 * count);
    CHECK(after <= before + (1u << 20), "RSS grew from %zu to %zu bytes", before, after);
}

bool aligned(const void* p, std::size_t align) {
    return (reinterpret_cast<std::uintptr_t>(p) & (align - 1)) == 0;
}

void operators() {
    for (std::size_t size : {0ul, 1ul, 24ul, 1000ul, 30000ul, 3000000ul}) {
        void* p = ::operator new(size);
        std::memset(p, 1, size);
        ::operator delete(p);
        ::operator delete(::operator new(size), size);
        ::operator delete[](::operator new[](size));
        ::operator delete[](::operator new[](size), size);
        ::operator delete(::operator new(size, std::nothrow), std::nothrow);
        ::operator delete[](::operator new[](size, std::nothrow), std::nothrow);
        for (std::size_t align = 16; align <= 65536; align *= 4) {
            auto a = static_cast<std::align_val_t>(align);
            p = ::operator new(size, a);
            CHECK(aligned(p, align), "operator new(%zu, %zu) gave %p", size, align, p);
            std::memset(p, 1, size);
            ::operator delete(p, a);
            ::operator delete(::operator new(size, a), size, a);
            ::operator delete[](::operator new[](size, a), a);
            ::operator delete[](::operator new[](size, a), size, a);
            p = ::operator new(size, a, std::nothrow);
            CHECK(p != nullptr && aligned(p, align), "operator new(%zu, %zu, nothrow) gave %p", size, align, p);
            ::operator delete(p, a, std::nothrow);
            ::operator delete[](::operator new[](size, a, std::nothrow), a, std::nothrow);
        }
    }
    ::operator delete(nullptr);
    ::operator delete[](nullptr);
}

int handler_calls;

void give_up_the_third_time() {
    if (++handler_calls == 3) std::set_new_handler(nullptr);
}

// The volatile size keeps the compiler from reasoning about it.
void failures() {
    volatile std::size_t huge = static_cast<std::size_t>(PTRDIFF_MAX) - 100;
    bool thrown = false;
    std::set_new_handler(give_up_the_third_time);
    try {
        void* p = ::operator new(huge);
        CHECK(p == nullptr, "operator new gave %p", p);
    } catch (const std::bad_alloc&) {
        thrown = true;
    }
    CHECK(thrown && handler_calls == 3, "thrown %d, new-handler called %d times", thrown, handler_calls);
    void* p = ::operator new(huge, std::nothrow);
    CHECK(p == nullptr, "operator new(nothrow) gave %p", p);
    p = ::operator new(huge, static_cast<std::align_val_t>(64), std::nothrow);
    CHECK(p == nullptr, "operator new(aligned, nothrow) gave %p", p);
    std::set_new_handler([] { throw std::bad_alloc(); });
    CHECK(::operator new(huge, std::nothrow) == nullptr&& ::operator new[](huge, std::nothrow) ==
              nullptr&& ::operator new[](huge, static_cast<std::align_val_t>(64), std::nothrow) == nullptr,
          "nothrow, and a new-handler that throws");
    std::set_new_handler(nullptr);
    thrown = false;
    try {
        p = ::operator new[](huge, static_cast<std::align_val_t>(4096));
    } catch (const std::bad_alloc&) {
        thrown = true;
    }
    CHECK(thrown, "operator new[](aligned) gave %p", p);
}

}  // namespace

int main(int argc, char** argv) {
    unsigned count = static_cast<unsigned>(test_argument(argc, argv, 1, 1500));
    test_start("thread_local", 0);
    operators();
    failures();
    threads(count);
    test_check_heap();
    test_say("thread_local: ok");
    keeper.use(1);  // its destructor runs while the process exits
    return 0;
}
