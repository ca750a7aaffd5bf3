"""The ownership protocol of lib/slab, as steps on a small world.

The world: one SuperSlab with two slabs, one lock per size class (its registry), the SuperSlab lock, the lock of the
reserve TCB, the mailbox of each class, a few threads. A step of a thread is ONE access to something shared; a frame
(step name, arguments...) on the thread's stack says what it does next. A spin is a step that is disabled until what it
waits for changes, so a wait without end is a state in which nobody can move. Owner-only data (free list, used, list
place) is one step too; in the scenarios with a fork such a step is split in two, so that a fork can fall between.

Owner word      (owner, tag): owner 0 = nobody, else a TCB; tag = size class, or FREE = not a slab, its memory is with
                the SuperSlab.
Remote word     tuple of blocks (empty = nothing), 'U' = unowned or about to be: do not push, claim.
TCB             living; left by a thread that a fork did away with between two operations; lost by one that it cut off
                in an operation. pooled: may be taken by a new thread. tls: the thread that has it, or is about to.
                bins: the SLL of the thread that left it. bundle: blocks of others' slabs, kept for a later operation.
                The reserve TCB serves threads that have none, under its lock, and owns nothing between two of them.
SLL             a thread's list of blocks that it has freed, or taken and not handed out; for their slabs they are in
                use. The slab of a block may be given up, and get another owner, while the block is in the list.
Registry        per class, the unowned slabs with free blocks in the order in which they came.
Place           'bound', 'partial' or 'full': the list of its owner that a slab is in; None: in none.
Page runs       have the same words and steps as slabs of blocks; RS is what is theirs alone.

Steps, by the function of lib/ that they belong to
  fast_free      K0 load owner; mine: the blocks go into the SLL; nobody: the same, or no room there: as R0; else as R0
  remote_free    R0 load owner; R1 claim (C1); R2 load remote; R3 push the chain, or out of the way of U;
                 RX finish_publish_of_lost
  slab_claim     C1 owner 0 -> me (in R1, H2, G1); C2 remote word = empty (U goes); C3 out of the registry
  refill_candidate   a hint: H1 load owner; H2 C1; then C2, C3; HB are there blocks? else given up again. The tables of
                 owner and remote words outlive the SuperSlabs, so a hint needs no lock and may be as old as it likes
  mailbox        MA announce; MF fetch, then as any hint. One step each: a hint is a number without data behind it
  slab_adopt_registered   G0 lock the class; G1 C1 on an entry; G2 C2; G3 unlink, unlock
  bind           BIND place; SA slab_set_aside of the slab bound before: kept in the list of full ones, or GU
                 slab_give_up_full. Whether it is kept, and which other one is given up for it, is open
  slab_take      TK the free list; DT else the remote stack, whole, into the SLL (its blocks stay used)
  slab_publish   A1 absorb; A2 empty? A2u out of the registry, release; A3 into the registry if blocks are free and it
                 is not there; A4 remote empty -> U (it was not: again from A1); A5 owner -> 0
  slab_release   L0 owner word = FREE; L1 lock the SuperSlabs, back to its SuperSlab, the last one gives back that
  slab_create    F1 lock the SuperSlabs, take a slab; F2 set up meta and remote word; F3 owner word
  remote_drain   D1 take the remote word; MG merge what was taken, a full slab is partial then; TRIM release if empty
                 (hak_trim)
  slab_free_chain    LOCAL free into an own slab: kept or given back. One that was claimed joins the partial list
  evict          EV out of the list, A1.. as slab_publish, MA. How many slabs are one too many is open: when one has
                 joined, no eviction is tried, and that of each slab of the list, also of the one that has just joined
                 (the model's lists are shorter than the program's)
  run_resize_in_place    RS load owner; RZ change the map of an own SuperSlab of page runs
  thread_end     E0 SLL; E2 publish every slab of the lists; E6 into the pool
  reserve_begin, reserve_end   E5 lock; E2 publish every slab; E8 unlock
  tcb_take       T1 look for one that was left; T2 tls = me; T3 state left -> living; T4 bins_unpark; T6 else one of
                 the pool, or a new one
  give_back_left   T1 to T3; T5 bins and bundle as R0; E2 publish every slab; T7 into the pool
  fork           X0 take every lock, one after the other; X9 fork, in the child unlist_lost. A thread is in an operation
                 from its first step to its last, but for the fast paths: K0 is none
"""
from collections import namedtuple

FREE = '-'  # tag of a slab that is with its SuperSlab; a claim names a size class, so it cannot win such a slab
UNOWNED = 'U'
LIVING, LEFT, LOST = 'living', 'left', 'lost'
LATE = 0  # identity of a thread without TCB: the owner part of an unowned slab, too
MAILBOX_PLACES = 2

Slab = namedtuple('Slab', 'owner tag remote free used place in_reg torn')
Tcb = namedtuple('Tcb', 'state pooled tls bins bundle was_left')
Thread = namedtuple('Thread', 'me script stack sll')
NOTHING = frozenset()


def new_tcb(thread):
    return Tcb(LIVING, False, thread, NOTHING, NOTHING, False)


# What is a step here and none in lib/observe/steps.def, and why. C1 is the compare-and-swap within R1, H2 and G1.
MODEL_ONLY = {
    'C1': 'in the code',
    'H2': 'C1 of what a hint names',
    'G1': 'C1 of an entry of the registry',
    'G2': 'C2 of an entry of the registry',
    'BU': 'no access to anything shared: a block goes into a bundle',
    'RF': 'no access to anything shared: which stage of a refill comes next',
    'START': 'no access to anything shared: a thread begins',
    'L9': 'only with a mutation: a slab is given back before its owner word',
    'L1u': 'L1 of the last slab, which gives the unit back',
    'L2u': 'the rest of L1u',
    'R4': 'only with a mutation: the slab is touched after R3',
    'VB': 'only with a mutation: the slab is touched after A5',
}

MUTATION = None  # the rule that is left out in this exploration (scenarios.MUTATIONS)


class Violation(Exception):
    """The protocol's promise is broken in this state."""


def mutated(name):
    return MUTATION == name


def slab_of(block):
    return 0 if block < 'p' else 1


class World:
    """Everything shared, and where each thread stands."""
    __slots__ = ('slabs', 'tcbs', 'threads', 'mapped', 'mask', 'locks', 'registry', 'mailbox', 'allocated', 'missing',
                 'child', 'setup')

    def clone(self):
        w = World.__new__(World)
        w.slabs, w.tcbs, w.threads = self.slabs[:], self.tcbs[:], self.threads[:]
        w.mapped, w.mask, w.locks, w.registry = self.mapped, self.mask, self.locks, self.registry
        w.mailbox = self.mailbox
        w.allocated, w.missing, w.child, w.setup = self.allocated, self.missing, self.child, self.setup
        return w

    def key(self):
        return (tuple(self.slabs), tuple(self.tcbs), tuple(self.threads), self.mapped, self.mask, self.locks,
                self.registry, self.mailbox, self.allocated, self.missing, self.child)

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
        slab, me = self.header(s), self.threads[t].me
        if slab.owner != me or me == LATE:
            raise Violation(f'meta of slab {s} touched by {me}, its owner is {slab.owner}')
        if slab.torn not in (None, t):
            raise Violation(f'meta of slab {s} read half-updated')
        return slab

    def set(self, s, **fields):
        self.slabs[s] = self.slabs[s]._replace(**fields)

    def set_tcb(self, i, **fields):
        self.tcbs[i] = self.tcbs[i]._replace(**fields)

    def listed(self, me, *places):
        """The slabs in these lists of a TCB. A slab that is in no list is not found."""
        return [s for s, slab in enumerate(self.slabs)
                if self.mapped and me and slab.owner == me and slab.place in (places or ('bound', 'partial', 'full'))]

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

    def cache(self, t, blocks):
        sll = self.threads[t].sll
        if sll & set(blocks):
            raise Violation(f'blocks {blocks} twice in the list of thread {t}')
        self.threads[t] = self.threads[t]._replace(sll=sll | set(blocks))


def by_slab(blocks):
    return [(s, part) for s in (0, 1) if (part := tuple(sorted(b for b in blocks if slab_of(b) == s)))]


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


def has_blocks(slab):
    return isinstance(slab.remote, tuple) and slab.remote != ()


# ---- remote_free: a bundle of blocks of one slab, from a thread that may or may not own it

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
        w.go(t, ('C3', s), ('RZ', s), ('C2', s), local)
    else:
        w.go(t, ('C2', s), ('C3', s), local)


@step
def R2(w, t, s, blocks, seen):
    slab = w.entered(s)
    lost = w.tcbs[seen].state == LOST
    if mutated('finish-left') and w.tcbs[seen].was_left:  # an old state may be read: the load orders nothing
        lost = True
    if lost and mutated('lost-are-free'):
        return w.go(t, ('RX', s, blocks, seen))
    if slab.remote != UNOWNED:
        return w.go(t, ('R3', s, blocks, seen, slab.remote))
    if slab.owner != seen:
        return w.go(t, ('R0', s, blocks))
    if lost and not mutated('no-lost-rule'):
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
    w.go(t, *((('R4', s),) if mutated('touch-after-push') else ()))


@step
def R4(w, t, s):
    w.entered(s)
    w.go(t)


@step
def K0(w, t, s, blocks):
    slab = w.entered(s)
    if slab.owner not in (w.threads[t].me, 0):
        return w.go(t, ('R0', s, blocks))
    if mutated('listed-not-used'):
        w.set(s, used=slab.used - len(blocks))
    no_room = []
    if slab.owner == 0:
        no_room.append(w.clone())
        no_room[-1].go(t, ('R0', s, blocks))
    w.cache(t, blocks)
    w.go(t)
    return no_room


@step
def BU(w, t, s, blocks):
    """free_to_slab: another thread's slab gets them later, all at once."""
    me = w.threads[t].me
    if w.entered(s).owner in (me, 0):
        return w.go(t, ('R0', s, blocks))
    w.set_tcb(me, bundle=w.tcbs[me].bundle | set(blocks))
    w.go(t)


# ---- slab_claim, after the compare-and-swap C1 has been won

@step
def C2(w, t, s):
    if not mutated('keep-U'):
        take_remote(w, t, s)
    w.go(t)


@step
def C3(w, t, s):
    slab = w.meta(t, s)
    if mutated('no-unlink') or not slab.in_reg:
        return w.go(t)
    if w.holds_up(t, slab.tag):
        return BLOCKED
    unlist(w, t, s)
    w.go(t)


def enlist(w, t, s):
    guard_registry(w, t, s)
    if w.slabs[s].in_reg:
        raise Violation(f'slab {s} is put into the registry twice')
    if w.slabs[s].place is not None:
        raise Violation(f'slab {s} is put into the registry while it is in a list of its owner')
    w.registry += ((w.slabs[s].tag, s),)
    w.set(s, in_reg=True)


def unlist(w, t, s):
    guard_registry(w, t, s)
    w.registry = tuple(entry for entry in w.registry if entry != (w.slabs[s].tag, s))
    w.set(s, in_reg=False)


def guard_registry(w, t, s):
    if w.holds_up(t, w.slabs[s].tag):
        raise Violation(f'the registry of {w.slabs[s].tag} is changed while another thread holds its lock')


def take_remote(w, t, s):
    """Exchange of the remote word with empty: owner only."""
    slab = w.header(s)
    if slab.owner != w.threads[t].me:
        raise Violation(f'remote stack of slab {s} taken by {w.threads[t].me}, its owner is {slab.owner}')
    w.set(s, remote=())
    return slab.remote


# ---- owner-only work

@meta_step
def LOCAL(w, t, s, blocks):
    """slab_free_chain: then the slab goes where it belongs."""
    give_back_blocks(w, t, s, blocks)
    slab, me = w.slabs[s], w.threads[t].me
    same_class = [o for o in w.listed(me) if o != s and w.slabs[o].tag == slab.tag]
    if slab.used == 0:
        spare = w.setup.keeps_spare and not any(w.slabs[o].place == 'partial' for o in same_class)
        if slab.place != 'bound' and not spare:
            return w.go(t, ('L0', s))
    if slab.used and slab.place in (None, 'full'):
        return join(w, t, s)
    if slab.place in (None, 'full'):
        w.set(s, place='partial')
    w.go(t)


def join(w, t, s):
    """Whether there is one too many now, and which goes, is open."""
    w.set(s, place='partial')
    evicting = []
    for other in w.listed(w.threads[t].me, 'partial'):
        if w.slabs[other].tag == w.slabs[s].tag:
            evicting.append(w.clone())
            evicting[-1].go(t, ('EV', other))
    w.go(t)
    return evicting


@meta_step
def EV(w, t, s):
    """evict: given up for others, then announced."""
    cls = w.meta(t, s).tag
    if not mutated('evicted-in-list'):
        w.set(s, place=None)
    if mutated('announced-first'):
        return w.go(t, ('MA', cls, s), ('A1', s, ()))
    w.go(t, ('A1', s, (('VB', s) if mutated('evict-looks-back') else ('MA', cls, s),)))


@step
def VB(w, t, s):
    w.meta(t, s)
    w.go(t)


@meta_step
def MG(w, t, s, blocks):
    give_back_blocks(w, t, s, blocks)
    if w.slabs[s].place == 'full' and not mutated('absorbed-full'):
        w.set(s, place='partial')
    w.go(t)


def give_back_blocks(w, t, s, blocks):
    slab = w.meta(t, s)
    if slab.free & set(blocks) or slab.used < len(blocks):
        raise Violation(f'blocks {blocks} freed twice in slab {s}')
    w.set(s, free=slab.free | set(blocks), used=slab.used - len(blocks))


@step
def D1(w, t, s):
    taken = take_remote(w, t, s)
    w.go(t, *((('MG', s, taken),) if taken and taken != UNOWNED else ()))


@step
def TRIM(w, t, s):
    w.go(t, *((('L0', s),) if w.meta(t, s).used == 0 else ()))


# ---- refill: bind and take

@step
def RF(w, t, cls):
    """refill_tls_slab: the bound slab, else one of the partial ones, or a full one into which others have freed."""
    mine = [s for place in ('bound', 'partial', 'full') for s in w.listed(w.threads[t].me, place)
            if w.slabs[s].tag == cls and (w.slabs[s].free and place != 'full' or has_blocks(w.slabs[s]))]
    w.go(t, *((('BIND', mine[0]), ('TK', mine[0])) if mine else ()))


@meta_step
def BIND(w, t, s):
    slab = w.meta(t, s)
    former = [o for o in w.listed(w.threads[t].me, 'bound') if o != s and w.slabs[o].tag == slab.tag]
    w.set(s, place='bound')
    if mutated('full-dropped'):
        for o in former:
            w.set(o, place=None)
        return w.go(t)
    w.go(t, *(('SA', o) for o in former))


@step
def SA(w, t, s):
    slab = w.meta(t, s)
    kept = []
    if not slab.free and not has_blocks(slab):
        others = [('GU', o) for o in w.listed(w.threads[t].me, 'full') if w.slabs[o].tag == slab.tag]
        for instead in [()] + [(other,) for other in others]:
            kept.append(w.clone())
            kept[-1].set(s, place='full')
            kept[-1].go(t, *instead)
    w.go(t, ('GU', s))
    return kept


@step
def GU(w, t, s):
    slab = w.meta(t, s)
    if slab.free or has_blocks(slab):
        w.set(s, place='partial')
        return w.go(t)
    w.set(s, place=None)
    w.go(t, ('A1', s, ()))


@meta_step
def TK(w, t, s):
    """The reserve serves one malloc: it hands out one block; a thread takes what is there."""
    slab = w.meta(t, s)
    if not slab.free:
        return w.go(t, *((('DT', s),) if has_blocks(slab) else ()))
    if w.threads[t].me == w.setup.reserve:
        return hand_out_one(w, t, s)
    w.cache(t, slab.free)
    w.set(s, free=NOTHING, used=slab.used + len(slab.free))
    w.go(t)


def hand_out_one(w, t, s):
    slab = w.slabs[s]
    block = min(slab.free)
    w.allocated = w.allocated | {block}
    w.set(s, free=slab.free - {block}, used=slab.used + 1)
    w.go(t)


@step
def DT(w, t, s):
    """The whole remote stack goes into the SLL: for the slab nothing changes. The reserve has no SLL."""
    taken = take_remote(w, t, s)
    if w.threads[t].me == w.setup.reserve:
        if mutated('reserve-drops'):
            w.allocated = w.allocated | {taken[0]}
            return w.go(t)
        return w.go(t, ('MG', s, taken), ('TK', s))
    if mutated('drained-not-used'):
        w.set(s, used=w.slabs[s].used - len(taken))
    w.cache(t, taken)
    w.go(t)


# ---- slab_release

@step
def L0(w, t, s):
    slab = w.meta(t, s)
    if slab.used or has_blocks(slab):
        raise Violation(f'slab {s} released with blocks outside')
    if slab.in_reg:
        raise Violation(f'slab {s} released while in the registry')
    if len(slab.free) != len(w.setup.blocks[s]):
        raise Violation(f'slab {s} released with blocks {sorted(w.setup.blocks[s] - slab.free)} outside')
    if mutated('mask-before-word'):
        return w.go(t, ('L1', s), ('L9', s))
    w.set(s, owner=0, tag=FREE, place=None)
    w.go(t, ('L1u', s) if mutated('release-unlocked') else ('L1', s))


@step
def L9(w, t, s):
    w.header(s)
    w.set(s, owner=0, tag=FREE, place=None)
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
    w.set(s, remote=(), free=w.setup.blocks[s], used=0, place=None, in_reg=False, torn=None)
    w.go(t, ('F3', s, cls))


@step
def F3(w, t, s, cls):
    w.header(s)
    w.set(s, owner=w.threads[t].me, tag=cls)
    w.go(t, ('BIND', s), ('TK', s))


# ---- claim through a hint

@step
def H1(w, t, s, cls):
    slab = w.header(s)
    if mutated('look-before-claim'):
        w.meta(t, s)
    if (slab.owner, slab.tag) == (w.threads[t].me, cls):
        w.go(t, ('HB', s, cls, False))
    elif mutated('drain-before-claim'):
        w.go(t, ('C2', s), ('H2', s, cls))
    elif claimable(slab, cls) or (mutated('bind-anyway') and slab.owner):
        w.go(t, ('H2', s, cls))
    else:
        w.go(t)


def claimable(slab, cls):
    if mutated('claim-any-class'):
        return slab.owner == 0 and slab.tag != FREE
    return (slab.owner, slab.tag) == (0, cls)


@step
def H2(w, t, s, cls):
    won = claimable(w.header(s), cls)
    if won:
        w.set(s, owner=w.threads[t].me)
    w.go(t, *((('C2', s), ('C3', s), ('HB', s, cls, True)) if won or mutated('bind-anyway') else ()))


@step
def HB(w, t, s, cls, won):
    """A full slab that was claimed in vain is given up again."""
    slab = w.meta(t, s)
    if slab.tag != cls:
        raise Violation(f'slab {s} is of class {slab.tag}, claimed for class {cls}')
    if slab.free or has_blocks(slab):
        w.go(t, ('BIND', s), ('TK', s))
    else:
        w.go(t, *((('GU', s),) if won and not mutated('keep-full') else ()))


# ---- the mailbox of a class

@step
def MA(w, t, cls, s):
    """The oldest announcement is overwritten."""
    if w.slabs[s].owner == w.threads[t].me:
        raise Violation(f'slab {s} is announced before it is given up: whoever fetches it is refused')
    others = [entry for entry in w.mailbox if entry[0] != cls]
    w.mailbox = tuple(sorted(others) + ([e for e in w.mailbox if e[0] == cls] + [(cls, s)])[-MAILBOX_PLACES:])
    w.go(t)


@step
def MF(w, t, cls):
    announced = [i for i, entry in enumerate(w.mailbox) if entry[0] == cls]
    if not announced:
        return w.go(t)
    newest = announced[-1]
    s = w.mailbox[newest][1]
    w.mailbox = w.mailbox[:newest] + w.mailbox[newest + 1:]
    w.go(t, *((('BIND', s), ('TK', s)) if mutated('fetch-unclaimed') else (('H1', s, cls),)))


# ---- slab_adopt_registered

@step
def G0(w, t, cls):
    if w.holds_up(t, cls):
        return BLOCKED
    w.lock(t, cls)
    w.go(t, ('G1', cls, tuple(s for c, s in w.registry if c == cls)))


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
    take_remote(w, t, s)
    w.go(t, ('G3', s, cls))


@step
def G3(w, t, s, cls):
    slab = w.meta(t, s)
    if not slab.free:
        raise Violation(f'slab {s} was in the registry and has no free block')
    unlist(w, t, s)
    w.unlock(cls)
    w.go(t, ('BIND', s), ('TK', s))


# ---- slab_publish of a slab in no list; `then` follows when it was given up (an eviction's announcement)

@step
def A1(w, t, s, then):
    slab = w.meta(t, s)
    w.go(t, *((('D1', s),) if has_blocks(slab) else ()), ('A2', s, then))


@step
def A2(w, t, s, then):
    slab = w.meta(t, s)
    if slab.used == 0 and not mutated('empty-published'):
        w.go(t, *((('A2u', s),) if slab.in_reg and not mutated('empty-listed') else ()), ('L0', s))
    elif mutated('insert-after-A5'):
        w.go(t, ('A4', s, then))
    else:
        listed = slab.in_reg and not mutated('listed-again')
        w.go(t, ('A3' if slab.free and not listed else first_of_hand_over(), s, then))


@step
def A2u(w, t, s):
    slab = w.meta(t, s)
    if w.holds_up(t, slab.tag) and not mutated('unlisted-unlocked'):
        return BLOCKED
    unlist(w, t, s)
    w.go(t)


def first_of_hand_over():
    return 'A5' if mutated('A5-before-A4') else 'A4'


@step
def A3(w, t, s, then):
    slab = w.meta(t, s)
    if w.holds_up(t, slab.tag):
        return BLOCKED
    enlist(w, t, s)
    w.go(t, *(then if mutated('insert-after-A5') else ((first_of_hand_over(), s, then),)))


@step
def A4(w, t, s, then):
    """Blocks have come: again, and the slab stays in the registry."""
    slab = w.header(s)
    if mutated('no-U') or (mutated('full-without-U') and not slab.free) or (mutated('evict-without-U') and then):
        return w.go(t, ('A5', s, then))
    if slab.remote != () and not mutated('no-reabsorb') and not mutated('U-stored'):
        return w.go(t, ('A1', s, then))
    if slab.remote == () or mutated('U-stored'):
        w.set(s, remote=UNOWNED)
    w.go(t, *(then if mutated('A5-before-A4') else (('A5', s, then),)))


@step
def A5(w, t, s, then):
    if w.meta(t, s).place is not None:
        raise Violation(f'slab {s} is given up while it is in a list of its owner')
    w.set(s, owner=0)
    if mutated('A5-before-A4'):
        return w.go(t, ('A4', s, then))
    w.go(t, *((('A3', s, then),) if mutated('insert-after-A5') and w.slabs[s].free and not w.slabs[s].in_reg else then))


# ---- realloc of a page run in place

@step
def RS(w, t, s):
    owner, me = w.header(s).owner, w.threads[t].me
    mine = owner == me and (me != LATE or mutated('nobody-is-me'))
    w.go(t, *((('RZ', s),) if mine else ()))


@meta_step
def RZ(w, t, s):
    w.meta(t, s)
    w.go(t)


# ---- thread exit, and what a thread without TCB does

@step
def E0(w, t):
    me = w.threads[t].me
    blocks = w.threads[t].sll | w.tcbs[me].bundle
    w.threads[t] = w.threads[t]._replace(sll=NOTHING)
    w.set_tcb(me, bundle=NOTHING)
    w.go(t, *(() if mutated('no-flush') else (('R0',) + part for part in by_slab(blocks))))


@step
def E2(w, t):
    """Own lists, nobody else changes them: publish slab after slab."""
    mine = w.listed(w.threads[t].me, *(('bound', 'partial') if mutated('full-forgotten') else ()))
    if mine:
        w.set(mine[0], place=None)
    w.go(t, *((('A1', mine[0], ()), ('E2',)) if mine else ()))


@step
def E5(w, t, work):
    if w.holds_up(t, 'reserve'):
        return BLOCKED
    w.lock(t, 'reserve')
    w.be(t, w.setup.reserve)
    w.go(t, *work, *(() if mutated('reserve-keeps') else (('E2',),)), ('E8',))


@step
def E6(w, t):
    w.set_tcb(w.threads[t].me, pooled=True, tls=None)
    if not mutated('pool-first'):
        w.be(t, LATE)
    w.go(t)


@step
def E8(w, t):
    w.unlock('reserve')
    w.be(t, LATE)
    w.go(t)


@step
def START(w, t, tcb):
    """A new thread takes a TCB from the pool."""
    if not w.tcbs[tcb].pooled:
        return BLOCKED
    take_pooled(w, t, tcb)
    w.go(t)


def take_pooled(w, t, tcb):
    if any(w.mapped and slab.owner == tcb for slab in w.slabs):
        raise Violation(f'TCB {tcb} is taken by a new thread and owns a slab')
    if w.tcbs[tcb].bins or w.tcbs[tcb].bundle:
        raise Violation(f'TCB {tcb} is taken out of the pool and has blocks')
    w.set_tcb(tcb, state=LIVING, pooled=False, tls=t)
    w.be(t, tcb)


# ---- what dead threads have left in the child of a fork. then: 'TAKE' for a new thread; 'GIVE' to give it up

@step
def T1(w, t, first, then):
    left = [i for i, tcb in enumerate(w.tcbs) if i >= first and tcb.state == LEFT]
    if left:
        return w.go(t, ('T2', left[0], then))
    w.go(t, *((('T6',),) if then == 'TAKE' else ()))


@step
def T2(w, t, i, then):
    if w.tcbs[i].tls is not None and not mutated('left-for-all'):
        return w.go(t, ('T1', i + 1, then))
    w.set_tcb(i, tls=t)
    w.go(t, ('T3', i, then))


@step
def T3(w, t, i, then):
    if w.tcbs[i].state != LEFT and not mutated('left-by-tls') and not mutated('left-for-all'):
        if w.tcbs[i].tls == t:
            w.set_tcb(i, tls=None)
        return w.go(t, ('T1', i + 1, then))
    if w.tcbs[i].pooled or any(thread.me == i for thread in w.threads):
        raise Violation(f'TCB {i} is taken by thread {t}, and was taken before')
    w.set_tcb(i, state=LIVING)
    former = w.threads[t].me
    w.be(t, i)
    w.go(t, *((('T4',),) if then == 'TAKE' else (('T5',), ('E2',), ('T7', former))))


@step
def T4(w, t):
    me = w.threads[t].me
    if not mutated('left-without-bins'):
        w.cache(t, w.tcbs[me].bins)
    w.set_tcb(me, bins=NOTHING)
    w.go(t)


@step
def T5(w, t):
    me = w.threads[t].me
    blocks = w.tcbs[me].bins | w.tcbs[me].bundle
    if mutated('given-up-without-bins') or mutated('given-up-without-bundles'):
        blocks = w.tcbs[me].bundle if mutated('given-up-without-bins') else w.tcbs[me].bins
    w.set_tcb(me, bins=w.tcbs[me].bins - blocks, bundle=w.tcbs[me].bundle - blocks)
    w.go(t, *(('R0',) + part for part in by_slab(blocks)))


@step
def T6(w, t):
    pooled = [i for i, tcb in enumerate(w.tcbs) if tcb.pooled]
    if pooled:
        take_pooled(w, t, pooled[0])
    else:
        w.tcbs.append(new_tcb(t))
        w.be(t, len(w.tcbs) - 1)
    w.go(t)


@step
def T7(w, t, former):
    w.set_tcb(w.threads[t].me, pooled=True, tls=None)
    w.be(t, former)
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
    me, sll = born.threads[t].me, born.threads[t].sll
    for i in range(1, len(born.tcbs)):
        if born.tcbs[i].tls != t and not born.tcbs[i].pooled and i != born.setup.reserve:
            leave_or_lose(born, i)
    born.threads = [Thread(LATE, (), (), NOTHING)] * len(born.threads)
    for i, script in dict(child).items():  # the child's second thread is born there
        born.threads[i] = Thread(me, script, (), sll) if i == t else Thread(LATE, (('born',),) + script, (), NOTHING)
    unlist_lost(born)
    born.missing = frozenset(every_block(born)) - frozenset(kept_blocks(born))
    return [born]


OUTSIDE = {'K0', 'X0', 'X9'}  # fast paths and forks are no operations


def leave_or_lose(w, i):
    """A TCB whose thread the child does not have."""
    tcb = w.tcbs[i]
    thread = None if tcb.tls is None else w.threads[tcb.tls]
    inside = thread and any(frame[0] not in OUTSIDE for frame in thread.stack)
    if tcb.state == LOST or (tcb.state == LIVING and inside and not mutated('lost-taken')
                             and not (mutated('taken-unmarked') and tcb.was_left)):
        return w.set_tcb(i, state=LOST, tls=None, bins=NOTHING, bundle=NOTHING)
    bins = thread.sll if tcb.state == LIVING and thread and thread.me == i else NOTHING
    w.set_tcb(i, state=LEFT, tls=None, bins=tcb.bins | bins, was_left=True)


def unlist_lost(w):
    """In the child: what a lost thread was publishing or had claimed would stand in the way of adopters for ever."""
    for _, s in w.registry:
        slab = w.slabs[s]
        if slab.owner and w.tcbs[slab.owner].state != LOST:
            raise Violation(f'slab {s} is in the registry, and its owner {slab.owner} forks, or was in no operation')
        if slab.owner and slab.remote != UNOWNED and not mutated('lost-listed'):
            w.registry = tuple(entry for entry in w.registry if entry[1] != s)
            w.set(s, in_reg=False)


# ---- operations of a script

def locks_for_fork(w):
    classes = tuple(sorted(w.setup.classes))
    if mutated('fork-reserve-last'):
        return classes + ('ss', 'reserve')
    return ('reserve',) + classes + ('ss',)


def begin(w, t, op):
    """The frames of a script's next operation."""
    me, name, args = w.threads[t].me, op[0], op[1:]
    if name in ('free', 'free_if', 'keep', 'keep_if', 'bundle', 'late', 'late_if'):
        blocks = tuple(b for b in args[0] if b in w.allocated)
        if name in ('free', 'keep', 'bundle', 'late') and len(blocks) != len(args[0]):
            raise Violation(f'the script frees {args[0]}, allocated are {sorted(w.allocated)}')
        w.allocated = w.allocated - set(blocks)
        first = 'K0' if name.startswith('keep') else 'BU' if name == 'bundle' else 'R0'
        bundles = tuple((first,) + part for part in by_slab(blocks))
        return (('E5', bundles),) if name in ('late', 'late_if') else bundles
    if name == 'pop':  # mallocs that empty the SLL
        w.allocated = w.allocated | w.threads[t].sll
        w.threads[t] = w.threads[t]._replace(sll=NOTHING)
        return ()
    if name == 'late_do':  # one operation of a thread without TCB
        return (('E5', args),)
    if name == 'born':
        return (('T1', 1, 'TAKE'),)
    if name == 'left':  # give_back_left, before new memory is asked for
        return (('T1', 1, 'GIVE'),)
    if name == 'flush':
        return (('E0',),)
    if name == 'trim':
        return tuple(frame for s in w.listed(me) for frame in (('D1', s), ('TRIM', s)))
    if name == 'publish':
        return (('E2',),)
    if name == 'exit':
        if mutated('pool-first'):
            return ('E0',), ('E6',), ('E2',), ('E8',)
        return ('E0',), ('E2',), ('E6',)
    if name == 'fork':
        return (('X0', locks_for_fork(w), args[0]),)
    return ((name,) + args,)  # refill, hint, adopt, mailbox, fresh, resize, start: RF, H1, G0, MF, F1, RS, START


def every_block(w):
    return [b for s, slab in enumerate(w.slabs) if w.mapped and slab.tag != FREE for b in w.setup.blocks[s]]


def kept_blocks(w):
    """The blocks that no thread has in hand, each as often as it is somewhere."""
    found = list(w.allocated)
    for slab in w.slabs:
        if w.mapped and slab.tag != FREE:
            found += slab.free
            found += slab.remote if isinstance(slab.remote, tuple) else ()
    for thread in w.threads:
        found += thread.sll
    for tcb in w.tcbs:
        found += tcb.bins | tcb.bundle
    return found
