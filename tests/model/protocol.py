"""The ownership protocol of lib/slab, as steps on a small world.

The world: one SuperSlab with two slabs, one lock per size class (its registry), the SuperSlab lock, the lock of the
reserve TCB, a few threads. A step of a thread is ONE access to something shared; a frame (step name, arguments...) on
the thread's stack says what it does next. A spin is a step that is disabled until what it waits for changes, so a wait
without end is a state in which nobody can move. Owner-only data (free list, used, list place) is one step too; in the
scenarios with a fork such a step is split in two, so that a fork can fall between its halves.

Owner word      (owner, tag): owner 0 = nobody, else a TCB; tag = size class, or FREE = not a slab, its memory is with
                the SuperSlab.
Remote word     tuple of blocks (empty = nothing), 'N' = the owner sleeps on the full slab and wants one notice,
                'U' = unowned or about to be: do not push, claim.
TCB state       'A' alive, 'D' dead, 'P' dead and in the pool (may be taken again), 'O' orphaned by a fork.
                The reserve TCB serves threads that have none, under its lock; it is alive while somebody uses it.

Steps, by the function of lib/ that they belong to
  remote_free    R0 load owner; R1 claim (C1); R2 load remote; R3 push the chain; RN take N;
                 RX finish what a dead owner began
  send_notice    NT load owner again, after N was taken; NS does it read mail?; then mailbox_send, or remote_free
  mailbox_send   M1 push; M2 load the receiver's state; M3 take everything back out of a dead one's mailbox
  mailbox_take   P1 take everything, free each block again
  slab_claim     C1 owner 0 -> me (in R1, H2, G1); C2 take the remote word (U goes); C3 out of the registry
  refill_candidate   a hint: H1 load owner; H2 C1; then C2, C3. The tables of owner words and remote words outlive the
                 SuperSlabs, so a hint needs no lock and may be as old as it likes
  slab_adopt_registered   G0 lock the class; G1 C1 on an entry; G2 C2; G3 unlink, unlock
  slab_publish   A1 absorb; A2 empty? release; A3 into the registry; A4n N -> empty; A4 remote empty -> U
                 (A4u: it was not, out of the registry and again); A5 owner -> 0
  slab_release   L0 owner word = FREE; L1 lock the SuperSlabs, back to its SuperSlab, the last one gives back that
  slab_create    F1 lock the SuperSlabs, take a slab; F2 set up meta and remote word; F3 owner word
  remote_want_notice   FU remote empty -> N
  remote_drain   D1 take the remote word; MG merge what was taken; TRIM release if empty. The operation `woken` of a
                 script is the mmap gate's look at own full slabs
  local          LOCAL free into an own slab; TAKE malloc every free block of one
  thread_end     E1 mailbox; E2 publish every slab; E3 state = DEAD; E4 mailbox again: what was in it is freed by the
                 reserve; E6 into the pool
  reserve_begin, reserve_end   E5 lock, alive; E2 publish every slab; E7 state = DEAD; E8 mailbox, unlock when empty
  fork           X0 take every lock, one after the other; X9 fork
"""
from collections import namedtuple

FREE = '-'  # tag of a slab that is with its SuperSlab; a claim names a size class, so it cannot win such a slab
NOTICE, UNOWNED = 'N', 'U'
ALIVE, DEAD, POOLED, ORPHANED = 'A', 'D', 'P', 'O'
LATE = 0  # identity of a thread without TCB

Slab = namedtuple('Slab', 'owner tag remote free used place in_reg torn')
Tcb = namedtuple('Tcb', 'state mail')
Thread = namedtuple('Thread', 'me script stack')

MUTATION = None  # the rule that is left out in this exploration (scenarios.MUTATIONS)


class Violation(Exception):
    """The protocol's promise is broken in this state."""


def mutated(name):
    return MUTATION == name


def slab_of(block):
    return 0 if block < 'p' else 1


class World:
    """Everything shared, and where each thread stands."""
    __slots__ = ('slabs', 'tcbs', 'threads', 'mapped', 'mask', 'locks', 'registry', 'allocated', 'missing', 'child',
                 'setup')

    def clone(self):
        w = World.__new__(World)
        w.slabs, w.tcbs, w.threads = self.slabs[:], self.tcbs[:], self.threads[:]
        w.mapped, w.mask, w.locks, w.registry = self.mapped, self.mask, self.locks, self.registry
        w.allocated, w.missing, w.child, w.setup = self.allocated, self.missing, self.child, self.setup
        return w

    def key(self):
        return (tuple(self.slabs), tuple(self.tcbs), tuple(self.threads), self.mapped, self.mask, self.locks,
                self.registry, self.allocated, self.missing, self.child)

    # -- access, each with its check
    def header(self, s):
        """Owner word and remote word of slab s: anybody may look, at any time."""
        if mutated('words-in-superslab') and not self.mapped:
            raise Violation(f'slab {s} touched after its SuperSlab was given back')
        return self.slabs[s]

    def entered(self, s):
        """The same, by somebody who holds a block of the slab: it cannot have been released."""
        slab = self.header(s)
        if slab.tag == FREE or not self.mapped:
            raise Violation(f'slab {s} touched after its release, by a thread that holds a block of it')
        return slab

    def meta(self, t, s):
        """Free list, used, place: the owner's alone, and whole."""
        slab = self.header(s)
        if slab.owner != self.threads[t].me:
            raise Violation(f'meta of slab {s} touched by {self.threads[t].me}, its owner is {slab.owner}')
        if slab.torn not in (None, t):
            raise Violation(f'meta of slab {s} read half-updated')
        return slab

    def set(self, s, **fields):
        self.slabs[s] = self.slabs[s]._replace(**fields)

    def set_tcb(self, i, **fields):
        self.tcbs[i] = self.tcbs[i]._replace(**fields)

    # -- locks: name -> thread that holds it
    def holds_up(self, t, lock):
        return dict(self.locks).get(lock, t) != t

    def lock(self, t, lock):
        self.locks = tuple(sorted({**dict(self.locks), lock: t}.items()))

    def unlock(self, lock):
        self.locks = tuple(entry for entry in self.locks if entry[0] != lock)

    # -- control flow of thread t
    def go(self, t, *frames):
        """The step just done is replaced by these, the first one next."""
        thread = self.threads[t]
        self.threads[t] = thread._replace(stack=frames + thread.stack[1:])

    def be(self, t, me):
        self.threads[t] = self.threads[t]._replace(me=me)


def free_each(blocks):
    return tuple(('R0', slab_of(b), (b,)) for b in blocks)


BLOCKED = 'blocked'
STEPS = {}
META_STEPS = set()


def step(function):
    STEPS[function.__name__] = function
    return function


def meta_step(function):
    """A step that writes owner-only data of slab `s`, its first argument."""
    META_STEPS.add(function.__name__)
    return step(function)


# ---- remote_push: a bundle of blocks of one slab, from a thread that may or may not own it

@step
def R0(w, t, s, blocks):
    slab, me = w.entered(s), w.threads[t].me
    if slab.owner == me:
        w.go(t, ('LOCAL', s, blocks))
    elif slab.owner == 0:
        w.go(t, ('R1', s, blocks, slab.tag))
    else:
        w.go(t, ('R2', s, blocks, slab.owner))


@step
def R1(w, t, s, blocks, tag):
    slab = w.entered(s)
    if (slab.owner, slab.tag) != (0, tag):
        return w.go(t, ('R0', s, blocks))
    w.set(s, owner=w.threads[t].me)
    local = ('LOCAL', s, blocks)
    if mutated('meta-before-U'):
        return w.go(t, local, ('C2', s), ('C3', s))
    w.go(t, ('C2', s), ('C3', s), local)


@step
def R2(w, t, s, blocks, seen):
    slab = w.entered(s)
    if slab.remote == NOTICE:
        return w.go(t, ('RN', s, blocks, seen))
    if slab.remote != UNOWNED:
        return w.go(t, ('R3', s, blocks, seen, slab.remote))
    if slab.owner != seen:
        return w.go(t, ('R0', s, blocks))
    if w.tcbs[seen].state == ORPHANED and not mutated('no-orphan-rule'):
        return w.go(t, ('RX', s, blocks, seen))
    return BLOCKED  # the owner is between A4 and A5, or between C1 and C2: spin


@step
def RX(w, t, s, blocks, dead):
    """The owner died in the fork between A4 and A5 or between C1 and C2: what it has begun is finished for it."""
    if w.entered(s).owner == dead:
        w.set(s, owner=0)
    w.go(t, ('R0', s, blocks))


@step
def R3(w, t, s, blocks, seen, expected):
    if w.entered(s).remote != expected:
        return w.go(t, ('R2', s, blocks, seen))
    both = expected + blocks
    if len(set(both)) != len(both):
        raise Violation(f'block twice on the remote stack: {both}')
    w.set(s, remote=tuple(sorted(both)))
    w.go(t)


@step
def RN(w, t, s, blocks, seen):
    """Whoever takes N owes the owner one notice: the first block is the notice, the others are pushed."""
    if w.entered(s).remote != NOTICE:
        return w.go(t, ('R2', s, blocks, seen))
    w.set(s, remote=())
    pushed = blocks if mutated('notice-also-pushed') else blocks[1:]
    rest = (('R0', s, pushed),) if pushed else ()
    if mutated('no-reread'):
        return w.go(t, *rest, ('M1', seen, blocks[0]))
    w.go(t, *rest, ('NT', s, blocks[0]))


# ---- slab_notify and the mailbox

@step
def NT(w, t, s, block):
    owner = w.entered(s).owner
    if owner in (0, w.threads[t].me):
        w.go(t, ('R0', s, (block,)))
    else:
        w.go(t, ('NS', s, block, owner))


@step
def NS(w, t, s, block, owner):
    """Who is not alive does not sleep on the slab: the one before has given it up, or is about to, and N with it."""
    w.go(t, ('M1', owner, block) if w.tcbs[owner].state == ALIVE else ('R0', s, (block,)))


@step
def M1(w, t, to, block):
    mail = w.tcbs[to].mail
    if block in mail:
        raise Violation(f'block {block} twice in a mailbox')
    w.set_tcb(to, mail=tuple(sorted(mail + (block,))))
    w.go(t, ('M2', to))


@step
def M2(w, t, to):
    alive = w.tcbs[to].state == ALIVE or mutated('no-dead-check')
    w.go(t, *(() if alive else (('M3', to),)))


@step
def M3(w, t, to):
    """The TCB may have a new thread by now whose notices are among these: each one is sent on as a notice."""
    mail = w.tcbs[to].mail
    w.set_tcb(to, mail=())
    if mutated('swallow'):
        return w.go(t, *free_each(mail))
    w.go(t, *(('NT', slab_of(b), b) for b in mail))


@step
def P1(w, t):
    me = w.threads[t].me
    mail = w.tcbs[me].mail
    w.set_tcb(me, mail=())
    w.go(t, *free_each(mail))


# ---- slab_claim, after the compare-and-swap C1 has been won

@step
def C2(w, t, s):
    taken = take_remote(w, t, s)
    if mutated('keep-U'):
        w.set(s, remote=UNOWNED if taken == UNOWNED else ())
    w.go(t, *merge(s, taken))


@step
def C3(w, t, s):
    slab = w.meta(t, s)
    if slab.in_reg and w.holds_up(t, slab.tag):
        return BLOCKED
    unlink(w, slab, s)
    w.set(s, place='partial')
    w.go(t)


def unlink(w, slab, s):
    if slab.in_reg:
        w.registry = w.registry - {(slab.tag, s)}
        w.set(s, in_reg=False)


def take_remote(w, t, s):
    """Exchange of the remote word with empty: owner only. A list is merged by the caller; N and U are just dropped."""
    slab = w.header(s)
    if slab.owner != w.threads[t].me:
        raise Violation(f'remote stack of slab {s} taken by {w.threads[t].me}, its owner is {slab.owner}')
    w.set(s, remote=())
    return slab.remote


def merge(s, taken):
    return (('MG', s, taken),) if taken not in ((), NOTICE, UNOWNED) else ()


# ---- owner-only work

@meta_step
def LOCAL(w, t, s, blocks):
    give_back_blocks(w, t, s, blocks)
    w.go(t, *release_if_empty(w, s))


@meta_step
def MG(w, t, s, blocks):
    give_back_blocks(w, t, s, blocks)
    w.go(t)


def give_back_blocks(w, t, s, blocks):
    slab = w.meta(t, s)
    if slab.free & set(blocks) or slab.used < len(blocks):
        raise Violation(f'blocks {blocks} freed twice in slab {s}')
    w.set(s, free=slab.free | set(blocks), used=slab.used - len(blocks), place='partial')


def release_if_empty(w, s):
    return (('L0', s),) if w.slabs[s].used == 0 else ()


@meta_step
def TAKE(w, t, s):
    """malloc of every free block of an own slab: they stay allocated."""
    slab = w.meta(t, s)
    w.allocated = w.allocated | slab.free
    w.set(s, free=frozenset(), used=slab.used + len(slab.free))
    w.go(t)


@step
def D1(w, t, s):
    """remote_drain of an own slab with blocks on its remote stack."""
    w.go(t, *merge(s, take_remote(w, t, s)))


def has_blocks(slab):
    return isinstance(slab.remote, tuple) and slab.remote != ()


@step
def TRIM(w, t, s):
    w.meta(t, s)
    w.go(t, *release_if_empty(w, s))


@step
def FU(w, t, s):
    """slab_mark_full: blocks that came in meanwhile are drained instead."""
    slab = w.meta(t, s)
    if slab.remote == () or slab.remote == NOTICE:
        w.set(s, remote=NOTICE, place='full')
        return w.go(t)
    w.go(t, ('D1', s), ('TRIM', s))


# ---- slab_release

@step
def L0(w, t, s):
    slab = w.meta(t, s)
    if slab.used or has_blocks(slab):
        raise Violation(f'slab {s} released with blocks outside')
    if slab.in_reg:
        raise Violation(f'slab {s} released while in the registry')
    if mutated('mask-before-word'):
        return w.go(t, ('L1', s), ('L9', s))
    w.set(s, owner=0, tag=FREE)
    w.go(t, ('L1u', s) if mutated('release-unlocked') else ('L1', s))


@step
def L9(w, t, s):
    w.header(s)
    w.set(s, owner=0, tag=FREE)
    w.go(t)


@step
def L1(w, t, s):
    if w.holds_up(t, 'ss'):
        return BLOCKED
    return_slab(w, t, w.mask | {s})


@step
def L1u(w, t, s):
    w.go(t, ('L2u', w.mask | {s}))


@step
def L2u(w, t, mask):
    return_slab(w, t, mask)


def return_slab(w, t, mask):
    if not w.mapped:
        raise Violation('slab given back to a SuperSlab that is gone')
    w.mask = mask
    if len(mask) == len(w.slabs):
        w.mapped = False
    w.go(t)


# ---- a fresh slab, for class `cls`

@step
def F1(w, t, cls):
    if w.holds_up(t, 'ss'):
        return BLOCKED
    if not w.mapped:
        w.mapped, w.mask = True, frozenset(range(len(w.slabs)))
        if any(slab.owner or slab.tag != FREE for slab in w.slabs):
            raise Violation('a SuperSlab is made where a slab still is')
    if not w.mask:
        return w.go(t)
    s = min(w.mask)
    w.mask = w.mask - {s}
    w.go(t, ('F2', s, cls))


@step
def F2(w, t, s, cls):
    if w.header(s).owner != 0 or w.slabs[s].tag != FREE:
        raise Violation(f'fresh slab {s} is not free')
    w.set(s, remote=(), free=w.setup.blocks[s], used=0, place='partial', in_reg=False, torn=None)
    w.go(t, ('F3', s, cls))


@step
def F3(w, t, s, cls):
    w.header(s)
    w.set(s, owner=w.threads[t].me, tag=cls)
    w.go(t, ('TAKE', s))


# ---- claim through a hint

@step
def H1(w, t, s, cls):
    slab = w.header(s)
    if mutated('look-before-claim'):
        w.meta(t, s)
    if mutated('drain-before-claim'):
        w.go(t, ('C2', s), ('H2', s, cls))
    elif (slab.owner, slab.tag) == (0, cls) or (mutated('bind-anyway') and slab.owner):
        w.go(t, ('H2', s, cls))
    else:
        w.go(t)


@step
def H2(w, t, s, cls):
    slab = w.header(s)
    won = (slab.owner, slab.tag) == (0, cls)
    if won:
        w.set(s, owner=w.threads[t].me)
    w.go(t, *((('C2', s), ('C3', s)) if won or mutated('bind-anyway') else ()))


# ---- slab_adopt: from the registry

@step
def G0(w, t, cls):
    if w.holds_up(t, cls):
        return BLOCKED
    w.lock(t, cls)
    w.go(t, ('G1', cls, tuple(sorted(s for c, s in w.registry if c == cls))))


@step
def G1(w, t, cls, entries):
    if not entries:
        w.unlock(cls)
        return w.go(t)
    s = entries[0]
    slab = w.header(s)
    if (slab.owner, slab.tag) == (0, cls):
        w.set(s, owner=w.threads[t].me)
        return w.go(t, ('G2', s, cls))
    w.go(t, ('G1', cls, entries[1:]))  # its owner is about to publish it, or to unlink it: leave it


@step
def G2(w, t, s, cls):
    w.go(t, *merge(s, take_remote(w, t, s)), ('G3', s, cls))


@step
def G3(w, t, s, cls):
    unlink(w, w.meta(t, s), s)
    w.set(s, place='partial')
    w.unlock(cls)
    w.go(t, *release_if_empty(w, s))


# ---- slab_publish

@step
def A1(w, t, s):
    slab = w.meta(t, s)
    w.go(t, *((('D1', s),) if has_blocks(slab) else ()), ('A2', s))


@step
def A2(w, t, s):
    slab = w.meta(t, s)
    if slab.used == 0:
        w.go(t, ('L0', s))
    else:
        w.go(t, ('A3', s) if slab.free else ('A4n', s))


@step
def A3(w, t, s):
    slab = w.meta(t, s)
    if w.holds_up(t, slab.tag):
        return BLOCKED
    w.registry = w.registry | {(slab.tag, s)}
    w.set(s, in_reg=True)
    w.go(t, ('A4n', s))


@step
def A4n(w, t, s):
    if w.header(s).remote == NOTICE:
        w.set(s, remote=())
    w.go(t, ('A5', s) if mutated('A5-before-A4') else ('A4', s))


@step
def A4(w, t, s):
    slab = w.header(s)
    if mutated('no-U'):
        return w.go(t, ('A5', s))
    if slab.remote != ():
        return w.go(t, ('A4u', s))
    w.set(s, remote=UNOWNED)
    w.go(t, *(() if mutated('A5-before-A4') else (('A5', s),)))


@step
def A4u(w, t, s):
    slab = w.meta(t, s)
    if w.holds_up(t, slab.tag):
        return BLOCKED
    unlink(w, slab, s)
    w.go(t, ('A1', s))


@step
def A5(w, t, s):
    w.meta(t, s)
    w.set(s, owner=0, place=None)
    w.go(t, *((('A4', s),) if mutated('A5-before-A4') else ()))


# ---- thread exit, and what a thread without TCB does

@step
def E1(w, t):
    P1(w, t)


@step
def E2(w, t):
    """Own lists, nobody else changes them: publish slab after slab."""
    me = w.threads[t].me
    mine = [s for s, slab in enumerate(w.slabs) if w.mapped and slab.owner == me]
    w.go(t, *((('A1', mine[0]), ('E2',)) if mine else ()))


@step
def E3(w, t):
    w.set_tcb(w.threads[t].me, state=DEAD)
    w.go(t)


@step
def E4(w, t):
    me = w.threads[t].me
    mail = w.tcbs[me].mail
    w.set_tcb(me, mail=())
    w.go(t, *((('E5', free_each(mail)),) if mail else ()), ('E6', me))


@step
def E5(w, t, work):
    if w.holds_up(t, 'reserve'):
        return BLOCKED
    w.lock(t, 'reserve')
    w.be(t, w.setup.reserve)
    w.set_tcb(w.setup.reserve, state=ALIVE)
    w.go(t, *work, ('E2',), ('E7',))


@step
def E6(w, t, me):
    w.set_tcb(me, state=POOLED)
    w.be(t, LATE)
    w.go(t)


@step
def E7(w, t):
    if not mutated('reserve-mail'):
        w.set_tcb(w.setup.reserve, state=DEAD)
    w.go(t, ('E8',))


@step
def E8(w, t):
    reserve = w.setup.reserve
    mail = w.tcbs[reserve].mail
    if mail and not mutated('reserve-mail'):
        w.set_tcb(reserve, state=ALIVE, mail=())
        return w.go(t, *free_each(mail), ('E2',), ('E7',))
    w.unlock('reserve')
    w.be(t, LATE)
    w.go(t)


@step
def START(w, t, tcb):
    """A new thread takes the TCB of a dead one."""
    if w.tcbs[tcb].state != POOLED:
        return BLOCKED
    w.set_tcb(tcb, state=ALIVE)
    w.be(t, tcb)
    w.go(t)


# ---- fork

@step
def X0(w, t, wanted, child):
    if not wanted:
        return w.go(t, ('X9', child))
    if w.holds_up(t, wanted[0]):
        return BLOCKED
    w.lock(t, wanted[0])
    w.go(t, ('X0', wanted[1:], child))


@step
def X9(w, t, child):
    """The child is the state of this instant with this thread alone; in the parent life goes on."""
    born = w.clone()
    w.locks = ()
    w.go(t)
    born.locks, born.child = (), True
    me = born.threads[t].me
    for i, tcb in enumerate(born.tcbs):
        if i != me and tcb.state == ALIVE:
            born.set_tcb(i, state=ORPHANED)
    born.missing = frozenset(every_block(born)) - frozenset(kept_blocks(born, mail_of=(me,)))
    if not mutated('no-renewed-notice'):
        renew_notices(born, me)
    scripts = dict(child)
    for i, thread in enumerate(born.threads):
        if i != t:
            born.threads[i] = Thread(LATE, (), ())
    for i, script in scripts.items():
        if i == t:
            born.threads[i] = Thread(me, script, ())
        else:
            born.set_tcb(born.setup.spare, state=ALIVE)
            born.threads[i] = Thread(born.setup.spare, script, ())
    return [born]


def renew_notices(w, me):
    """Whoever had taken the N of a slab of the survivor owes it a notice that never comes."""
    for s, slab in enumerate(w.slabs):
        if w.mapped and slab.owner == me and slab.place == 'full':
            if has_blocks(slab):
                w.set(s, place='partial')
            else:
                w.set(s, remote=NOTICE)


# ---- operations of a script

def locks_for_fork(w):
    classes = tuple(sorted(w.setup.classes))
    if mutated('fork-reserve-last'):
        return classes + ('ss', 'reserve')
    return ('reserve',) + classes + ('ss',)


def begin(w, t, op):
    """The frames of a script's next operation."""
    me, name, args = w.threads[t].me, op[0], op[1:]
    owned = [s for s, slab in enumerate(w.slabs) if w.mapped and me and slab.owner == me]
    if name in ('free', 'free_if', 'late', 'late_if'):
        blocks = tuple(b for b in args[0] if b in w.allocated)
        if name in ('free', 'late') and len(blocks) != len(args[0]):
            raise Violation(f'the script frees {args[0]}, allocated are {sorted(w.allocated)}')
        w.allocated = w.allocated - set(blocks)
        bundles = tuple(('R0', s, part) for s in (0, 1) if (part := tuple(b for b in blocks if slab_of(b) == s)))
        return (('E5', bundles),) if name in ('late', 'late_if') else bundles
    if name == 'take':
        return tuple(('TAKE', s) for s in owned if w.slabs[s].free)
    if name == 'full':
        return tuple(('FU', s) for s in owned if not w.slabs[s].free)
    if name == 'poll':
        return (('P1',),)
    if name == 'tick':  # a refill's look at its partial slabs; a full one waits for its notice
        return tuple(frame for s in owned if w.slabs[s].place == 'partial' and has_blocks(w.slabs[s])
                     for frame in (('D1', s), ('TRIM', s)))
    if name == 'woken':  # the mmap gate's look at full slabs
        return tuple(('D1', s) for s in owned if w.slabs[s].place == 'full' and has_blocks(w.slabs[s]))
    if name == 'publish':
        return tuple(('A1', s) for s in owned)
    if name == 'exit':
        return ('E1',), ('E2',), ('E3',), ('E4',)
    if name == 'fork':
        return (('X0', locks_for_fork(w), args[0]),)
    return ((name,) + args,)  # hint, adopt, fresh, start: H1, G0, F1, START


def every_block(w):
    return [b for s, slab in enumerate(w.slabs) if w.mapped and slab.tag != FREE for b in w.setup.blocks[s]]


def kept_blocks(w, mail_of):
    """The blocks that no thread has in hand, each as often as it is somewhere; of the mailboxes only these."""
    found = list(w.allocated)
    for slab in w.slabs:
        if w.mapped and slab.tag != FREE:
            found += slab.free
            found += slab.remote if isinstance(slab.remote, tuple) else ()
    for i in mail_of:
        found += w.tcbs[i].mail
    return found
