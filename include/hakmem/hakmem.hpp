/* libhakmem for C++17: allocators for the containers of the standard library. The functions are those of hakmem.h, so a
 * program links the library as from C. It needs <memory_resource>: libstdc++ 9 or libc++ 16.
 *
 * Thread-safety: every function.
 * Errors: std::bad_alloc if there is no memory. As with operator new, the new-handler is called first, again and again,
 * until there is memory or no handler. Code that is compiled with -fno-exceptions throws it, too.
 * Sizes are bytes, or objects where it says so. A block is freed with its size, which guard mode checks.
 * What is compiled with -fno-exceptions or -fno-rtti may be linked with what is not. */
#ifndef HAKMEM_HPP
#define HAKMEM_HPP

#include <hakmem/hakmem.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory_resource>
#include <new>
#include <type_traits>

namespace hakmem {

namespace detail {

/* Every block has this alignment without being asked for it. */
constexpr std::size_t natural_alignment = 16;

/* Throws std::bad_alloc. The throw itself is in the C++ library: so this is the same function with -fno-exceptions. */
[[noreturn]] inline void no_memory() {
    static_cast<void>(std::pmr::null_memory_resource()->allocate(1));
    std::abort();
}

[[nodiscard]] inline void* obtain(std::size_t bytes, std::size_t alignment) {
    for (;;) {
        void* block = alignment > natural_alignment ? hak_aligned_alloc(alignment, bytes) : hak_malloc(bytes);
        if (block != nullptr) return block;
        std::new_handler handler = std::get_new_handler();
        if (handler == nullptr) no_memory();
        handler();
    }
}

inline void give(void* block, std::size_t bytes, std::size_t alignment) noexcept {
    if (alignment > natural_alignment)
        hak_free_aligned_sized(block, alignment, bytes);
    else
        hak_free_sized(block, bytes);
}

}  // namespace detail

/* The heap of libhakmem for the containers of std::pmr:
 *
 *     hakmem::memory_resource heap;
 *     std::pmr::vector<int> numbers(&heap);
 *
 * It has no state: a block may be freed through any other object of this class, and outlives the one that gave it.
 *
 * allocate(bytes, alignment) returns a block of at least `bytes` bytes; the alignment is a power of two. allocate(0)
 * returns a block of its own. deallocate(block, bytes, alignment) takes what allocate returned and was given.
 * a.is_equal(b) tells whether b is of this class, too. Two libraries that each hide the class from the other have two
 * classes: they are not equal, and containers then move objects instead of exchanging blocks. */
class __attribute__((__visibility__("default"))) memory_resource final : public std::pmr::memory_resource {
  private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        return detail::obtain(bytes, alignment);
    }

    void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override {
        detail::give(block, bytes, alignment);
    }

    /* An object without members is its pointer to the functions of its class. (dynamic_cast would need RTTI.) */
    bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        static_assert(sizeof(memory_resource) == sizeof(void*), "the class has no members");
        return std::memcmp(static_cast<const void*>(this), static_cast<const void*>(&other), sizeof(void*)) == 0;
    }
};

/* The heap of libhakmem in place of std::allocator:
 *
 *     std::vector<int, hakmem::allocator<int>> numbers;
 *
 * It has no state: all of them are equal, whatever their T, and containers may exchange their blocks. Types with an
 * alignment above 16 get it.
 *
 * allocate(count) returns room for `count` objects, which it does not make. If they have more than PTRDIFF_MAX bytes,
 * it throws std::bad_alloc at once. deallocate(block, count) takes what allocate returned and was given. */
template <class T> class allocator {
  public:
    using value_type = T;
    using is_always_equal = std::true_type;
    using propagate_on_container_copy_assignment = std::true_type;
    using propagate_on_container_move_assignment = std::true_type;
    using propagate_on_container_swap = std::true_type;

    constexpr allocator() noexcept = default;
    template <class U> constexpr allocator(const allocator<U>&) noexcept {
    }

    [[nodiscard]] T* allocate(std::size_t count) {
        if (count > static_cast<std::size_t>(PTRDIFF_MAX) / sizeof(T)) detail::no_memory();
        return static_cast<T*>(detail::obtain(count * sizeof(T), alignof(T)));
    }

    void deallocate(T* block, std::size_t count) noexcept {
        detail::give(block, count * sizeof(T), alignof(T));
    }
};

template <class T, class U> constexpr bool operator==(const allocator<T>&, const allocator<U>&) noexcept {
    return true;
}

template <class T, class U> constexpr bool operator!=(const allocator<T>&, const allocator<U>&) noexcept {
    return false;
}

}  // namespace hakmem

#endif
