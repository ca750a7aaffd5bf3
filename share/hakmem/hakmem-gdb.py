"""libhakmem's heap in gdb: of a live process, or of a core dump.

    (gdb) source share/hakmem/hakmem-gdb.py
    (gdb) hak block ADDRESS     the block there: size, state, slab, owner
    (gdb) hak slab ADDRESS      the slab there: its counts, and whether its free list is whole
    (gdb) hak heap              all slabs, by size of block

It needs the symbols of the library, as nm lists them, and no debug information. An ADDRESS is any expression of gdb.
"""
import struct

import gdb

# Of lib/superslab/heap.h and others; tests/cli/test_gdb.py compares them with the headers.
LAYOUT = {
    "heap.base": 0, "heap.slabs": 8, "heap.owner": 24, "heap.meta": 32, "heap.remote": 40, "heap.unit": 48,
    "heap.tabled": 56,
    "meta.freelist": 0, "meta.blocks": 8, "meta.carved": 12, "meta.capacity": 14, "meta.block_size": 16,
    "meta.bytes": 64,
    "remote.bytes": 64, "remote.pointer": 0x0000FFFFFFFFFFF0,
    "unit.kind": 0, "unit.size": 40, "unit.bytes": 64, "unit.huge": 4, "unit.huge_rest": 5,
    "tcb.number": 4,
    "slab.shift": 16, "unit.shift": 21,
    "tag.bits": 0xFFF, "tag.classes": 976, "tag.per_class": 16, "tag.runs": 0x800, "tag.runs_rest": 0x810,
    "owner.bits": (1 << 58) - 1 - 0xFFF,
}  # fmt: skip
WORD = (1 << 64) - 1
SLAB_BYTES = 1 << LAYOUT["slab.shift"]
SLABS_PER_UNIT = 1 << (LAYOUT["unit.shift"] - LAYOUT["slab.shift"])


def read(address, form):
    """One number of the process: form is a letter of struct."""
    data = gdb.selected_inferior().read_memory(address, struct.calcsize(form))
    return struct.unpack(form, bytes(data))[0]


def address_of(name):
    try:
        return int(gdb.parse_and_eval(f"(unsigned long)&{name}"))
    except gdb.error:
        raise gdb.GdbError(f"there is no symbol {name}: is libhakmem loaded, and not stripped?") from None


class Heap:
    def __init__(self):
        at = address_of("hak_heap")
        for field in ("base", "slabs", "owner", "meta", "remote", "unit"):
            setattr(self, field, read(at + LAYOUT["heap." + field], "Q"))
        self.tabled = read(at + LAYOUT["heap.tabled"], "I")
        self.key, self.list_end = (read(address_of(name), "Q") for name in ("hak_link_key", "hak_link_end"))
        if self.base == 0:
            raise gdb.GdbError("the process has no heap yet")
        self.end = min(self.slabs, self.tabled * SLABS_PER_UNIT)

    def slab_of(self, address):
        """Its number; None: the address is not in the heap."""
        slab = (address - self.base) >> LAYOUT["slab.shift"]
        return slab if SLABS_PER_UNIT <= slab < self.end else None

    def word(self, slab):
        return read(self.owner + 8 * slab, "Q")

    def address(self, slab):
        return self.base + (slab << LAYOUT["slab.shift"])

    def field(self, slab, name, form):
        return read(self.meta + slab * LAYOUT["meta.bytes"] + LAYOUT["meta." + name], form)

    def follow(self, block):
        """The block that a free block links to; None: the list ends."""
        target = (read(block, "Q") + self.key) & WORD
        return None if target == self.list_end else target


class Slab:
    """A slab of blocks of one size."""

    def __init__(self, heap, number):
        self.heap, self.number, self.start = heap, number, heap.address(number)
        self.size = heap.field(number, "block_size", "I")
        blocks = heap.field(number, "blocks", "I")
        self.used, self.free = blocks & 0xFFFF, blocks >> 16
        self.carved, self.capacity = heap.field(number, "carved", "H"), heap.field(number, "capacity", "H")
        if not 16 <= self.size <= SLAB_BYTES:
            raise gdb.GdbError(f"slab {number} says that its blocks have {self.size} bytes: its description is damaged")

    def walk(self, first):
        """The blocks of a list, and why it ended early ("": it did not)."""
        found, block = [], first
        while block is not None and block != 0:
            if not self.start <= block < self.start + SLAB_BYTES or (block - self.start) % self.size != 0:
                return found, f"the link to 0x{block:x} does not lead to a block of the slab"
            if len(found) > self.capacity:
                return found, "it is circular"
            found.append(block)
            block = self.heap.follow(block)
        return found, ""

    def free_list(self):
        return self.walk(self.heap.field(self.number, "freelist", "Q"))

    def remote_stack(self):
        word = read(self.heap.remote + self.number * LAYOUT["remote.bytes"], "Q")
        return self.walk(word & LAYOUT["remote.pointer"])

    def state(self, block):
        if (block - self.start) // self.size >= self.carved:
            return "never handed out"
        for (blocks, damage), where in ((self.free_list(), "free list"), (self.remote_stack(), "remote stack")):
            if block in blocks:
                return f"free, on the {where} of its slab"
            if damage:
                return f"unknown: the {where} of its slab is damaged: {damage}"
        return "in use by the program, or in a thread's cache"


def owner_text(word):
    tcb = word & LAYOUT["owner.bits"]
    return f"owned by thread {read(tcb + LAYOUT['tcb.number'], 'I')}" if tcb else "without owner"


def is_class(word):
    return 0 < word & LAYOUT["tag.bits"] < LAYOUT["tag.classes"]


def huge_text(heap, address):
    unit = (address - heap.base) >> LAYOUT["unit.shift"]
    while unit > 0:
        at = heap.unit + unit * LAYOUT["unit.bytes"]
        kind = read(at + LAYOUT["unit.kind"], "B")
        if kind == LAYOUT["unit.huge"]:
            start, size = heap.base + (unit << LAYOUT["unit.shift"]), read(at + LAYOUT["unit.size"], "Q")
            return f"0x{address:x}: {address - start} bytes into the huge block 0x{start:x} of {size} bytes"
        if kind != LAYOUT["unit.huge_rest"]:
            break
        unit -= 1
    return None


def describe(heap, address):
    slab = heap.slab_of(address)
    if slab is None:
        return f"0x{address:x}: not in the heap of libhakmem"
    word = heap.word(slab)
    tag = word & LAYOUT["tag.bits"]
    if is_class(word):
        of = Slab(heap, slab)
        index, offset = divmod(address - of.start, of.size)
        block = address - offset
        if index >= of.capacity:
            return f"0x{address:x}: behind the last block of slab {slab}"
        return (f"0x{address:x}: {offset} bytes into block 0x{block:x} of {of.size} bytes, {of.state(block)}; "
                f"number {index} of slab {slab}, {owner_text(word)}")
    if tag in (LAYOUT["tag.runs"], LAYOUT["tag.runs_rest"]):
        return (f"0x{address:x}: in a SuperSlab of page runs, blocks of more than 16 KiB; "
                "hakstress report CORE --address tells which")
    return huge_text(heap, address) or f"0x{address:x}: free memory of the heap"


class Hak(gdb.Command):
    """The heap of libhakmem: hak block ADDRESS, hak slab ADDRESS, hak heap."""

    def __init__(self):
        super().__init__("hak", gdb.COMMAND_DATA, prefix=True)


class Block(gdb.Command):
    """hak block ADDRESS: which block is there, and who has it."""

    def __init__(self):
        super().__init__("hak block", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        print(describe(Heap(), int(gdb.parse_and_eval(argument or "0")) & WORD))


class SlabCommand(gdb.Command):
    """hak slab ADDRESS: the slab of blocks that the address lies in."""

    def __init__(self):
        super().__init__("hak slab", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        heap, address = Heap(), int(gdb.parse_and_eval(argument or "0")) & WORD
        number = heap.slab_of(address)
        if number is None or not is_class(heap.word(number)):
            raise gdb.GdbError(f"0x{address:x} is in no slab of blocks: {describe(heap, address)}")
        slab = Slab(heap, number)
        listed, damage = slab.free_list()
        remote, remote_damage = slab.remote_stack()
        print(f"slab {number} at 0x{slab.start:x}: {slab.capacity} blocks of {slab.size} bytes, "
              f"{owner_text(heap.word(number))}")
        print(f"  {slab.used} handed out, {slab.free} free, {slab.capacity - slab.carved} never cut")
        print(f"  free list: {len(listed)} blocks{', DAMAGED: ' + damage if damage else ''}")
        print(f"  remote stack: {len(remote)} blocks{', DAMAGED: ' + remote_damage if remote_damage else ''}")


class HeapCommand(gdb.Command):
    """hak heap: all slabs of blocks by size, and those whose free list is damaged."""

    def __init__(self):
        super().__init__("hak heap", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        heap, sizes, damaged = Heap(), {}, []
        for number in range(SLABS_PER_UNIT, heap.end):
            if not is_class(heap.word(number)):
                continue
            slab = Slab(heap, number)
            sums = sizes.setdefault(slab.size, [0, 0, 0])
            for i, more in enumerate((1, slab.used, slab.free)):
                sums[i] += more
            damage = slab.free_list()[1]
            if damage:
                damaged.append(f"the free list of slab {number} at 0x{slab.start:x} is DAMAGED: {damage}")
        for size, (slabs, used, free) in sorted(sizes.items()):
            print(f"{size:6} bytes: {slabs} slabs, {used} handed out, {free} free")
        print("\n".join(damaged) if damaged else "no free list is damaged")


Hak()
Block()
SlabCommand()
HeapCommand()
