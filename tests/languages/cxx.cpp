// <hakmem/hakmem.hpp>: containers, alignments, want of memory, and what containers ask an allocator.
//
// usage: cxx               everything; not one block may come from operator new
//        cxx wrong-size    frees with a wrong size, which guard mode notices
#include "languages/cxx.h"
#include "support/test.h"

#include <hakmem/hakmem.hpp>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

static unsigned long news;  // calls of operator new

void* operator new(std::size_t bytes) {
    __atomic_fetch_add(&news, 1, __ATOMIC_RELAXED);
    void* block = std::malloc(bytes);
    if (block == nullptr) std::abort();
    return block;
}

void operator delete(void* block) noexcept {
    std::free(block);
}

void operator delete(void* block, std::size_t) noexcept {
    std::free(block);
}

namespace {

template <class T> using Vector = std::vector<T, hakmem::allocator<T>>;
using String = std::basic_string<char, std::char_traits<char>, hakmem::allocator<char>>;
template <class Key, class Value>
using HashMap =
    std::unordered_map<Key, Value, std::hash<Key>, std::equal_to<Key>, hakmem::allocator<std::pair<const Key, Value>>>;

using Traits = std::allocator_traits<hakmem::allocator<int>>;
static_assert(Traits::is_always_equal::value, "a container need not compare");
static_assert(Traits::propagate_on_container_copy_assignment::value, "copied");
static_assert(Traits::propagate_on_container_move_assignment::value, "moved");
static_assert(Traits::propagate_on_container_swap::value, "swapped");
static_assert(std::is_same<Traits::rebind_alloc<char>, hakmem::allocator<char>>::value, "rebind");
static_assert(std::is_empty<hakmem::allocator<int>>::value, "no state");
static_assert(std::is_nothrow_move_assignable<Vector<int>>::value, "moving a container throws nothing");
static_assert(std::is_convertible<hakmem::allocator<int>, hakmem::allocator<char>>::value, "of another T");
static_assert(sizeof(hakmem::allocator<void>) == 1, "of void, which containers of any type begin with");

struct alignas(64) Line {
    unsigned char bytes[64];
};
struct alignas(4096) Page {
    unsigned char bytes[4096];
};

bool is_aligned(const void* block, std::size_t alignment) {
    return reinterpret_cast<std::uintptr_t>(block) % alignment == 0;
}

void containers() {
    Vector<int> numbers;
    HashMap<int, int> squares;
    std::list<int, hakmem::allocator<int>> list;
    std::deque<int, hakmem::allocator<int>> deque;
    String text;
    for (int i = 0; i < 20000; i++) {
        numbers.push_back(i);
        squares[i] = i * i % 10007;
        list.push_front(i);
        deque.push_back(i);
        text += static_cast<char>('a' + i % 26);
        if (i % 3 == 0) squares.erase(i / 2);
    }
    long sum = 0;
    for (int number : numbers) sum += number;
    CHECK(sum == 199990000, "the sum is %ld", sum);
    CHECK(list.front() == 19999 && deque[777] == 777 && text[27] == 'b' && squares[19999] == 19999 * 19999 % 10007,
          "contents of a container are not what was put there");
    Vector<int> moved = std::move(numbers);
    Vector<int> other(7, 1);
    other.swap(moved);
    moved = other;
    CHECK(moved.size() == 20000 && moved.back() == 19999, "%zu objects, the last one %d", moved.size(), moved.back());
    auto shared = std::allocate_shared<Line>(hakmem::allocator<void>());
    CHECK(is_aligned(shared.get(), 64), "a shared object of alignment 64 is at %p", static_cast<void*>(shared.get()));
}

void polymorphic_containers() {
    hakmem::memory_resource heap;
    std::pmr::map<int, std::pmr::string> names(&heap);
    for (int i = 0; i < 5000; i++) names.emplace(i, std::pmr::string(static_cast<std::size_t>(i % 300), 'n'));
    CHECK(names.at(299).size() == 299 && names.at(299).get_allocator().resource() == &heap, "inner strings use it too");
    std::pmr::unsynchronized_pool_resource pool(&heap);
    std::pmr::vector<std::pmr::vector<int>> rows(200, &pool);
    for (auto& row : rows) row.resize(100, 1);
    CHECK(rows[199][99] == 1 && rows[199].get_allocator().resource() == &pool, "a pool on top of the heap");
}

void alignments() {
    hakmem::memory_resource heap;
    Vector<Line> lines(100);
    Vector<Page> pages(3);
    lines.resize(1000);
    CHECK(is_aligned(lines.data(), 64) && is_aligned(pages.data(), 4096), "lines at %p, pages at %p",
          static_cast<void*>(lines.data()), static_cast<void*>(pages.data()));
    for (std::size_t alignment = 1; alignment <= std::size_t{1} << 22; alignment *= 2)
        for (std::size_t bytes : {std::size_t{0}, std::size_t{1}, alignment, alignment + 1, std::size_t{100000}}) {
            void* block = heap.allocate(bytes, alignment);
            CHECK(is_aligned(block, alignment), "%zu bytes with alignment %zu are at %p", bytes, alignment, block);
            std::memset(block, 0xee, bytes);
            heap.deallocate(block, bytes, alignment);
        }
}

void threads() {
    hakmem::memory_resource heap;
    std::pmr::vector<std::pmr::string> texts(4000, &heap);
    auto fill = [&texts](std::size_t first) {
        for (std::size_t i = first; i < texts.size(); i += 2) texts[i].assign(i % 500, 't');
    };
    unsigned long before = news;
    std::thread odd(fill, 1);  // it has its own operator new
    fill(0);
    odd.join();
    __atomic_store_n(&news, before, __ATOMIC_RELAXED);
    CHECK(texts[3999].size() == 3999 % 500, "%zu characters", texts[3999].size());
}

class Other : public std::pmr::memory_resource {
    void* do_allocate(std::size_t, std::size_t) override {
        return nullptr;
    }
    void do_deallocate(void*, std::size_t, std::size_t) override {
    }
    bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }
};

void equality() {
    hakmem::memory_resource one, two;
    Other other;
    CHECK(one == two && one == *plain_resource() && *plain_resource() == one, "objects of the class differ");
    CHECK(one != *std::pmr::new_delete_resource() && one != other && other != one, "another class is equal");
    CHECK(plain_says_equal(one, *plain_resource()) && !plain_says_equal(one, other), "it differs without RTTI");
    void* block = one.allocate(100);
    plain_resource()->deallocate(block, 100);
    CHECK(hakmem::allocator<int>() == hakmem::allocator<char>(), "allocators differ");
    CHECK(!(hakmem::allocator<int>() != hakmem::allocator<char>()), "allocators differ");
}

int handled;

void handler() {
    if (++handled == 3) std::set_new_handler(nullptr);
}

template <class Call> bool throws(Call call) {
    try {
        call();
    } catch (const std::bad_alloc&) {
        return true;
    }
    return false;
}

void no_memory() {
    constexpr std::size_t much = PTRDIFF_MAX;
    hakmem::memory_resource heap;
    CHECK(throws([] { hakmem::allocator<char>().deallocate(hakmem::allocator<char>().allocate(much), much); }), "char");
    CHECK(throws([] { static_cast<void>(hakmem::allocator<Line>().allocate(SIZE_MAX / 64 + 2)); }), "it wraps around");
    CHECK(throws([] { static_cast<void>(hakmem::allocator<Line>().allocate(much / 64)); }), "aligned objects");
    CHECK(throws([&] { static_cast<void>(heap.allocate(much, 4096)); }), "a resource");
    CHECK(throws([] { static_cast<void>(plain_allocate(much)); }), "what is compiled without exceptions");
    std::set_new_handler(handler);
    CHECK(throws([&] { static_cast<void>(heap.allocate(much)); }) && handled == 3, "the handler ran %d times", handled);
    std::set_new_handler(handler);
    handled = 0;
    CHECK(throws([] { static_cast<void>(hakmem::allocator<Line>().allocate(much)); }) && handled == 0,
          "what never fits asked the handler %d times", handled);
    std::set_new_handler(nullptr);

    Vector<String> texts;
    CHECK(hak_option_set("HAKMEM_LIMIT", "64M") == 0, "the limit cannot be set");
    CHECK(throws([&] {
              for (;;) texts.emplace_back(10000, 'x');
          }),
          "there is memory beyond the limit");
    CHECK(texts.size() > 1000 && texts.back().size() == 10000, "%zu texts", texts.size());
    hak_option_set("HAKMEM_LIMIT", "0");
    texts.emplace_back(10000, 'y');
}

}  // namespace

int main(int argc, char** argv) {
    test_start("cxx", 0);
    if (argc > 1 && std::strcmp(argv[1], "wrong-size") == 0) {
        hakmem::allocator<int> allocator;
        allocator.deallocate(allocator.allocate(5), 6);
        return 0;
    }
    unsigned long before = news;
    containers();
    polymorphic_containers();
    alignments();
    threads();
    equality();
    no_memory();
    CHECK(plain_sum(1000) == 999000, "the other half counts %lu", plain_sum(1000));
    CHECK(news == before, "%lu blocks came from operator new", news - before);
    test_check_heap();
    test_say("cxx: ok");
    return 0;
}
