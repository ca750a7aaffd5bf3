"""What the model tries: scenarios that must hold, mutations that must be caught, and random scenarios."""
import random
from collections import namedtuple

from protocol import FREE, LATE, NOTHING, UNOWNED, Slab, Thread, World, new_tcb


class Setup(namedtuple('Setup', 'blocks classes reserve spare torn keeps_spare')):
    """What does not change during an exploration."""
    __hash__ = object.__hash__


# torn: steps on owner-only data are split in two. spare: a thread keeps its first empty slab of a class.
Scenario = namedtuple('Scenario', 'name slabs scripts torn deep spare')


def initial_world(scenario):
    n = len(scenario.scripts)
    w = World()
    w.slabs, blocks, classes = [], [], set()
    w.allocated, w.mask = NOTHING, NOTHING
    for s, (owner, cls, names, free_ones, remote, place) in enumerate(scenario.slabs):
        names, free_ones = frozenset(names), frozenset(free_ones)
        blocks.append(names)
        if cls == FREE:
            w.slabs.append(Slab(0, FREE, (), NOTHING, 0, None, False, None))
            w.mask = w.mask | {s}
            continue
        classes.add(cls)
        listed = owner == 0 and bool(free_ones)
        w.slabs.append(Slab(owner, cls, remote, free_ones, len(names) - len(free_ones), place, listed, None))
        w.allocated = w.allocated | (names - free_ones - set(remote))
    ops = [op for script in scenario.scripts for op in script]
    ops += [op for args in ops if args[0] == 'late_do' for op in args[1:]]
    classes |= {op[-1] for op in ops if op[0] in ('H1', 'G0', 'MF', 'RF', 'F1')}
    w.tcbs = [new_tcb(None)] + [new_tcb(t) for t in range(n)] + [new_tcb(None), new_tcb(None)._replace(pooled=True)]
    w.threads = []
    for t, script in enumerate(scenario.scripts):
        newcomer = script[:1] and script[0][0] in ('START', 'RS', 'late', 'late_do')  # has no TCB at first
        if newcomer:
            w.set_tcb(t + 1, pooled=True, tls=None)
        w.threads.append(Thread(LATE if newcomer else t + 1, tuple(script), (), NOTHING))
    w.mapped, w.locks, w.mailbox, w.child, w.missing = True, (), (), False, NOTHING
    w.registry = tuple((slab.tag, s) for s, slab in enumerate(w.slabs) if slab.in_reg)
    w.setup = Setup(tuple(blocks), frozenset(classes), n + 1, n + 2, scenario.torn, scenario.spare)
    return w


# ---- scenarios. Thread t starts with TCB t+1. Slab 0 has blocks a.., slab 1 has blocks p..

X, Y = 'X', 'Y'  # two size classes


def free(blocks):
    return ('free', blocks)


def keep(blocks):
    """Freed into the thread's own list, where it or nobody owns their slab."""
    return ('keep', blocks)


def late(blocks):
    """Freed by a thread that has ended, from a destructor that runs late."""
    return ('late', blocks)


def bundle(blocks):
    """Freed into a bundle, where another thread owns their slab."""
    return ('bundle', blocks)


def if_allocated(blocks):
    return ('free_if', blocks)


def hint(s, cls=X):
    return ('H1', s, cls)


def late_do(*ops):
    return ('late_do',) + ops


TAKE, TAKE_Y, POP, TRIM, FLUSH = ('RF', X), ('RF', Y), ('pop',), ('trim',), ('flush',)
EXIT, PUBLISH, GIVE_LEFT = ('exit',), ('publish',), ('left',)
ADOPT, ADOPT_Y, FETCH, FRESH_X, FRESH_Y = ('G0', X), ('G0', Y), ('MF', X), ('F1', X), ('F1', Y)


def resize(s):
    return ('RS', s)


def start(tcb):
    return ('START', tcb)


def fork(child):
    return ('fork', tuple(sorted(child.items())))


NO_SLAB = (0, FREE, 'pq', '', (), None)


def scene(name, slab0, *scripts, slab1=NO_SLAB, torn=False, deep=False, spare=False):
    return Scenario(name, (slab0, slab1), scripts, torn, deep, spare)


def owned(blocks, spare='', by=1, remote='', cls=X, place='partial'):
    return (by, cls, blocks + spare + remote, spare, tuple(remote), place)


def bound(blocks, spare='', by=1, remote='', cls=X):
    return owned(blocks, spare, by, remote, cls, 'bound')


def unowned(blocks, spare='', cls=X):
    return (0, cls, blocks + spare, spare, UNOWNED, None)


SCENARIOS = [
    # full slabs are given up; whoever frees into one next owns it
    scene('a full slab is given up against frees', bound('abc'), [TAKE, hint(1), POP], [free('ab')], [free('c'), EXIT],
          slab1=owned('p', 'q')),
    scene('given up, claimed by a free, given up again', bound('abcd'), [FRESH_X, EXIT],
          [free('ab'), TAKE, POP, FRESH_X], [free('cd'), EXIT]),
    scene('two free into a full slab without owner', unowned('abcd'), [free('ab'), TAKE, POP], [free('cd'), EXIT]),
    scene('three free into a full slab without owner', unowned('abc'), [free('a'), EXIT], [free('b')], [free('c')]),
    scene('a hint to a full slab without owner', unowned('abc'), [hint(0), POP, EXIT], [free('ab'), EXIT],
          [hint(0), free('c')]),
    scene('bundle of three, owner exits', bound('abcd'), [free('d'), EXIT], [free('abc')], [ADOPT, POP]),
    scene('exit of owner and freers', bound('abc'), [EXIT], [free('a'), EXIT], [free('b'), EXIT]),
    scene('a full slab is kept, and taken again', bound('ab'), [FRESH_X, POP, TAKE, POP, EXIT], [free('a'), EXIT],
          [free('b'), ADOPT], slab1=(0, FREE, 'p', '', (), None)),
    scene('a full slab is kept until it is empty', bound('ab'), [FRESH_X, TRIM, if_allocated('p')], [free('ab')],
          [hint(0), FRESH_Y], slab1=(0, FREE, 'p', '', (), None)),
    scene('others free into a full slab, and its owner looks', bound('ab'), [FRESH_X, POP, TRIM, if_allocated('p')],
          [free('a'), TRIM], [hint(0), free('b')], slab1=(0, FREE, 'p', '', (), None)),
    # the remote stack goes whole into the list; the slabs of a list's blocks may get another owner
    scene('drain into the list', bound('abc', remote='d'), [TAKE, POP, TAKE, POP, free('d'), EXIT], [free('ab')],
          [free('c')]),
    scene('drained, then published', bound('abc'), [TAKE, EXIT], [free('ab'), TAKE], [free('c'), ADOPT]),
    scene('in the list of a former owner', owned('abc', 'h'), [keep('ab'), PUBLISH, POP, ('keep_if', 'a'), EXIT],
          [free('c'), TRIM, EXIT], [ADOPT, EXIT]),
    scene('in the list, flushed to the next owner', bound('abc'), [keep('a'), FRESH_X, FLUSH, EXIT],
          [free('bc'), TAKE, POP, EXIT], [ADOPT, POP, EXIT]),
    scene('a block in a list keeps its slab', owned('ab', 'h'), [keep('a'), PUBLISH, POP, free('a')], [free('b'), TRIM],
          [FRESH_Y, hint(0)], slab1=(0, FREE, 'p', '', (), None)),
    # the blocks of a slab without owner may wait in the lists of several threads
    scene('in two lists, while an adopter comes', unowned('abc', 'h'), [keep('a'), POP, FLUSH], [keep('b'), EXIT],
          [ADOPT, POP, free('c')]),
    scene('in two lists, full, the last one flushed', unowned('ab'), [keep('a'), FLUSH, TRIM], [keep('b'), POP, EXIT]),
    scene('in a list, the rest freed', unowned('abc'), [keep('a'), POP, if_allocated('a'), EXIT], [free('bc'), TRIM],
          [hint(0), ADOPT]),
    # a slab without owner that is freed into joins the freer's list; it or another one may be evicted then
    scene('joined and evicted against an adopter', unowned('abc', 'h'), [free('a'), free('b')], [ADOPT, POP, EXIT],
          [free('c')]),
    scene('joined by two and an adopter', unowned('abcd', 'h'), [free('ab'), TRIM], [free('c'), EXIT],
          [ADOPT, free('d')]),
    scene('joined until empty, by three', unowned('abc', 'h'), [free('a')], [free('b')], [free('c'), ADOPT]),
    scene('an eviction against frees', owned('abc', 'h'), [free('p')], [free('ab')], [free('c'), ADOPT],
          slab1=unowned('pq')),
    scene('the last block comes during an eviction', owned('a', 'h'), [free('p'), TRIM], [free('a')],
          [ADOPT, POP, EXIT], slab1=unowned('pq')),
    scene('a spare is evicted', owned('', 'ab'), [free('p')], [hint(0), POP, EXIT], [FETCH, ADOPT],
          slab1=unowned('pq'), spare=True),
    scene('what is drained is evicted', owned('ab', 'h', remote='c'), [free('p'), ADOPT], [free('a')],
          [FETCH, free('b'), EXIT], slab1=unowned('pq')),
    scene('evicted in turn', unowned('ab', 'h'), [free('a'), free('p')], [free('q'), free('b')], slab1=unowned('pq')),
    scene('evicted, fetched by two', unowned('abc'), [free('a')], [FETCH, POP, EXIT], [FETCH, free('b')]),
    scene('evicted, made again for another class', unowned('ab', 'h'), [free('ab')], [FRESH_Y, POP, PUBLISH],
          [hint(0), ADOPT, POP]),
    # publish and adopt
    scene('publish against frees', owned('abc', 'h'), [PUBLISH, TRIM], [free('ab')], [free('c'), TRIM]),
    scene('publish against adopt', owned('ab', 'h'), [PUBLISH, free('a'), TRIM], [ADOPT, free('b'), EXIT],
          [ADOPT, TRIM]),
    scene('exit, adopt, exit', owned('abc', 'h'), [free('c'), EXIT], [ADOPT, EXIT], [free('ab'), EXIT]),
    scene('adopt against a claim by a free', unowned('abc', 'h'), [free('ab'), TAKE], [free('c'), EXIT], [ADOPT, POP]),
    scene('the last blocks of a published slab', unowned('ab', 'h'), [free('a'), PUBLISH], [free('b'), PUBLISH],
          [hint(0), TRIM]),
    # announcements
    scene('announced, fetched by two', unowned('abc'), [free('a')], [FRESH_X, FETCH, EXIT], [FETCH, free('bc'), FETCH]),
    scene('an old announcement', unowned('ab'), [free('a'), free('b')], [FRESH_Y, FETCH, PUBLISH],
          [FETCH, FRESH_X, FETCH]),
    scene('announcements and spares', unowned('ab'), [free('a'), TRIM], [FETCH, free('b'), EXIT], [free('p'), FETCH],
          slab1=owned('p', 'q', by=3), spare=True),
    # recycled TCBs, threads without TCB
    scene('recycled TCB', bound('ab'), [EXIT], [free('a')], [start(1), ADOPT, POP, hint(0), EXIT]),
    scene('late frees', bound('abc'), [EXIT, late('c')], [free('a'), EXIT, late('b')]),
    scene('late free against freers', owned('abc', 'h'), [EXIT], [late('ab')], [free('c'), TRIM]),
    scene('late free into a full slab', unowned('abc'), [late('a')], [late('b')], [free('c'), hint(0)]),
    scene('first frees without TCB', unowned('abc', 'h'), [late('a'), start(1), free('b'), EXIT], [free('c'), EXIT],
          [ADOPT, EXIT]),
    scene('late malloc against freers', unowned('abc'), [late_do(hint(0))], [free('ab')], [free('c')]),
    scene('late malloc from the registry', unowned('ab', 'h'), [late_do(ADOPT), late_do(hint(0))], [free('ab'), EXIT],
          [ADOPT, POP]),
    scene('realloc in place without TCB', unowned('ab', 'h'), [resize(0), start(1), ADOPT, resize(0)],
          [ADOPT, resize(0), EXIT]),
    # release, the SuperSlab goes, ABA
    scene('both slabs go back', owned('a', 'h'), [TRIM, EXIT], [free('a')], [free('p'), EXIT], slab1=owned('p', by=3)),
    scene('hint while the SuperSlab goes', owned('a', 'h'), [free('a')], [hint(0), TRIM], [free('p'), EXIT],
          slab1=owned('p', by=3, cls=Y)),
    scene('hint to an owned slab', owned('ab', 'h'), [free('a'), PUBLISH], [hint(0), POP, FRESH_X], [free('b')]),
    scene('hint, slab taken by another class', owned('a'), [free('a'), FRESH_X, PUBLISH], [hint(0), POP],
          [FRESH_Y, POP, PUBLISH]),
    scene('fresh after release, other class', owned('a', 'h'), [free('a')], [FRESH_Y, free('p')],
          [hint(0), hint(1), TRIM], slab1=owned('p', by=2, cls=Y)),
    # fork: thread 0 forks at any instant; the child frees what is still allocated, alone or with a new thread
    scene('fork while the owner exits', owned('ab', 'h', by=2), [fork({0: (if_allocated('ab'), TRIM)})], [EXIT],
          torn=True),
    scene('fork, two freers in the child', owned('abc', 'h', by=2),
          [fork({0: (if_allocated('ab'), TRIM), 1: (if_allocated('c'), TRIM)})], [EXIT], torn=True),
    scene('fork while a full slab is given up', bound('abc', by=2),
          [fork({0: (if_allocated('ab'), hint(0)), 1: (if_allocated('c'),)})], [FRESH_X, EXIT], [free('ab')],
          torn=True),
    scene('fork while another claims by a free', unowned('abc', 'h'), [fork({0: (if_allocated('bc'), ADOPT, TRIM)})],
          [free('a'), TRIM], torn=True),
    scene('fork while another claims by a free, no space', unowned('abcd'), [fork({0: (if_allocated('bc'), TRIM)})],
          [free('a'), TRIM], torn=True),
    scene('fork while another claims by a hint', unowned('ab', 'h'), [fork({0: (hint(0), if_allocated('ab'), TRIM)})],
          [hint(0), EXIT], torn=True),
    scene('fork, child adopts from the registry', unowned('ab', 'h'),
          [fork({0: (ADOPT, if_allocated('ab'), TRIM), 1: (ADOPT, TRIM)})], [free('a'), PUBLISH], torn=True),
    scene('fork while a full slab is claimed and evicted', unowned('abc'),
          [fork({0: (FETCH, if_allocated('abc'), FETCH)})], [free('a'), free('b')], torn=True),
    scene('fork while another joins and evicts', unowned('abc', 'h'),
          [fork({0: (ADOPT, if_allocated('bc'), TRIM), 1: (ADOPT, if_allocated('a'))})], [free('a')], torn=True),
    scene('fork while another evicts', owned('ab', 'h', by=2), [fork({0: (ADOPT, if_allocated('abp'), ADOPT)})],
          [free('p')], slab1=unowned('pq'), torn=True),
    scene('fork while an eviction finds the slab empty', owned('a', 'h', by=2),
          [fork({0: (if_allocated('ap'), ADOPT)})], [free('p')], [free('a')], slab1=unowned('pq'), torn=True),
    scene('fork while another is late', owned('ab', 'h', by=2), [fork({0: (if_allocated('ab'), TRIM)})], [EXIT],
          [late('b')], torn=True),
    scene('fork with blocks of a former slab in the list', owned('abc', 'h'),
          [keep('ab'), PUBLISH, fork({0: (POP, if_allocated('abc'), EXIT)})], [free('c'), EXIT], torn=True),
    scene('fork with blocks of a slab without owner in two lists', unowned('abc', 'h'),
          [keep('a'), fork({0: (POP, if_allocated('abc'), EXIT)})], [keep('b'), free('c'), EXIT], torn=True),
    scene('fork while a slab goes back', owned('a', 'h', by=2), [fork({0: (if_allocated('ap'), FRESH_Y, EXIT)})],
          [free('a')], [free('p'), FRESH_Y], slab1=owned('p', by=3), torn=True),
    # what dead threads have left goes on with a thread born in the child, or is given up there
    scene('left, and gone on with', owned('ab', 'h', by=2), [fork({0: (if_allocated('a'),), 1: (TAKE, POP, EXIT)})],
          [keep('b')], torn=True),
    scene('left with a full list, given up', bound('ab', by=2), [fork({0: (GIVE_LEFT, ADOPT, POP, TRIM)})],
          [keep('ab'), TAKE, free('p')], slab1=owned('p', 'q', by=2), torn=True),
    scene('left, for one of two', owned('a', 'h', by=2), [fork({0: (GIVE_LEFT,), 1: (if_allocated('a'),)})],
          [keep('a')], torn=True),
    scene('left, published by who goes on', owned('ab', 'h', by=2), [fork({0: (if_allocated('ab'),), 1: (EXIT,)})],
          [TRIM], torn=True),
    scene('left with bundles', owned('ab', by=1), [fork({0: (GIVE_LEFT, TRIM)})], [bundle('a'), FLUSH], torn=True),
    scene('left with bundles, gone on with', owned('ab', 'h', by=3), [fork({0: (), 1: (FLUSH, EXIT)})],
          [bundle('ab')], [keep('p'), TAKE, POP], slab1=owned('p', by=3), torn=True),
    scene('left by two', owned('a', 'h', by=2), [fork({0: (GIVE_LEFT, GIVE_LEFT), 1: (TAKE, POP)})],
          [keep('a')], [keep('p')], slab1=owned('p', 'q', by=3), torn=True),
    scene('left, and forked again', owned('ab', 'h', by=2),
          [fork({0: (fork({0: (GIVE_LEFT, if_allocated('b')), 1: (TAKE, POP)}),), 1: (TAKE, POP, EXIT)})],
          [keep('a')], torn=True),
    scene('left, and forked again while it is given up', owned('ab', 'h', by=2),
          [fork({0: (GIVE_LEFT,), 1: (fork({1: (GIVE_LEFT, if_allocated('b')), 0: (TAKE, POP)}),)})], [bundle('p')],
          slab1=owned('p', by=1), torn=True),
    # bigger ones
    scene('three bundles and an exit', bound('abcdef'), [free('f'), EXIT], [free('ab'), EXIT], [free('cd')],
          [free('e')], deep=True),
    scene('given up again and again', bound('abcd'), [FRESH_X, free('d'), EXIT], [free('a'), TAKE, POP, FRESH_X, EXIT],
          [free('bc'), TAKE, EXIT], [ADOPT, hint(0)], deep=True),
    scene('two exits, adopt, late', owned('abcd', 'h'), [EXIT, late('d')], [ADOPT, free('a'), EXIT], [free('b'), EXIT],
          [free('c'), EXIT], deep=True),
    scene('recycled TCB, two senders', bound('abc'), [free('c'), EXIT], [free('ab')],
          [start(1), ADOPT, POP, hint(1), EXIT], [free('p'), ADOPT, TRIM], slab1=unowned('pq'), deep=True),
    scene('two slabs, hints and announcements', owned('ab', 'h'), [free('a'), EXIT], [hint(0), hint(1), FETCH],
          [free('bp'), FRESH_Y], [hint(1, Y), FETCH, EXIT], slab1=owned('p'), deep=True),
    scene('fork among three', bound('abcd', by=2),
          [fork({0: (if_allocated('abd'), TRIM), 1: (if_allocated('c'), ADOPT)})], [FRESH_X, EXIT],
          [free('ab')], [free('c'), EXIT], torn=True, deep=True),
]

# One rule left out, and the scenario that must notice. Several others may, too.
MUTATIONS = [
    ('no-U', 'publish does not set U', 'publish against frees'),
    ('full-without-U', 'publish sets U only when blocks are free', 'a full slab is given up against frees'),
    ('no-reabsorb', 'publish goes on although blocks have come', 'publish against frees'),
    ('listed-again', 'publish does not look whether the slab is in the registry already', 'publish against frees'),
    ('U-stored', 'publish stores U over what has come', 'publish against frees'),
    ('empty-listed', 'publish releases an empty slab without unlisting it', 'the last block comes during an eviction'),
    ('unlisted-unlocked', 'an empty slab leaves the registry without its lock',
     'the last block comes during an eviction'),
    ('evicted-in-list', 'an evicted slab stays in the partial list', 'an eviction against frees'),
    ('evict-without-U', 'an eviction does not set U', 'an eviction against frees'),
    ('evict-looks-back', 'an eviction looks at the slab after it gave it up', 'an eviction against frees'),
    ('announced-first', 'an eviction announces the slab before it is given up', 'evicted, fetched by two'),
    ('insert-after-A5', 'publish goes into the registry after it gave up the owner word', 'publish against adopt'),
    ('A5-before-A4', 'the owner word is released before U is set', 'publish against frees'),
    ('empty-published', 'publish does not look whether the slab is empty', 'the last blocks of a published slab'),
    ('full-dropped', 'the slab bound before is left in no list', 'a full slab is given up against frees'),
    ('full-forgotten', 'a thread ends and keeps its full slabs', 'a full slab is kept, and taken again'),
    ('absorbed-full', 'a full slab stays so when its owner has taken what others freed',
     'others free into a full slab, and its owner looks'),
    ('keep-full', 'a full slab claimed by a hint is kept, in no list', 'a hint to a full slab without owner'),
    ('no-unlink', 'the claimer stays in the registry', 'adopt against a claim by a free'),
    ('keep-U', 'the claimer does not take U', 'adopt against a claim by a free'),
    ('meta-before-U', 'the claimer touches meta before it takes U', 'fork while another claims by a free, no space'),
    ('bind-anyway', "the claim's result is ignored", 'hint to an owned slab'),
    ('drain-before-claim', 'the remote stack is taken before the claim', 'hint to an owned slab'),
    ('look-before-claim', 'a hint looks at meta before it claims', 'hint to an owned slab'),
    ('claim-any-class', 'the claim does not name a class', 'hint, slab taken by another class'),
    ('fetch-unclaimed', 'what the mailbox gave is bound without a claim', 'announced, fetched by two'),
    ('listed-not-used', 'blocks freed into a list are not counted as used', 'a block in a list keeps its slab'),
    ('drained-not-used', 'blocks drained into the list are not counted as used', 'drain into the list'),
    ('touch-after-push', 'the freer looks at the slab after its push', 'publish against frees'),
    ('no-flush', "a thread's list is not flushed at its end", 'in the list, flushed to the next owner'),
    ('pool-first', 'the TCB goes to the pool before its slabs are given up', 'recycled TCB'),
    ('reserve-keeps', 'the reserve does not give up what it came to own', 'late free against freers'),
    ('reserve-drops', 'the reserve takes the remote stack whole and hands out one block of it',
     'late malloc against freers'),
    ('nobody-is-me', 'a thread without TCB takes an unowned slab for its own', 'realloc in place without TCB'),
    ('release-unlocked', 'a slab goes back without the SuperSlab lock', 'both slabs go back'),
    ('words-in-superslab', 'owner words go with their SuperSlab', 'hint while the SuperSlab goes'),
    ('mask-before-word', 'the SuperSlab gets the slab before its owner word is FREE',
     'fresh after release, other class'),
    ('no-lost-rule', 'the child waits for an owner that does not exist', 'fork while the owner exits'),
    ('lost-are-free', 'the child takes slabs of lost ones that have no U', 'fork, two freers in the child'),
    ('lost-listed', 'the child leaves slabs of lost ones in the registry', 'fork while another evicts'),
    ('lost-taken', 'whoever was cut off in an operation is taken for one that left', 'fork while the owner exits'),
    ('taken-unmarked', 'who gives up what was left is in no operation', 'left, and forked again while it is given up'),
    ('finish-left', 'the child finishes for one that left what its next thread is about to do',
     'left, published by who goes on'),
    ('left-for-all', 'whoever sees that a TCB was left takes it', 'left, for one of two'),
    ('left-by-tls', 'who has a TCB that was left is decided by tls alone', 'left, for one of two'),
    ('left-without-bins', 'who goes on with a TCB does not take its bins', 'left, and gone on with'),
    ('given-up-without-bins', 'who gives up a TCB does not give back its bins', 'left with a full list, given up'),
    ('given-up-without-bundles', 'who gives up a TCB does not push its bundles', 'left with bundles'),
    ('fork-reserve-last', 'the fork takes the reserve lock after the others', 'fork while another is late'),
]


def random_slab(r, blocks, spare, cls, owners):
    kind = r.choice(('bound', 'bound', 'owned', 'unowned'))
    if kind == 'unowned':
        return unowned(blocks, spare, cls)
    if kind == 'bound':
        return bound(blocks, r.choice(('', spare)), by=r.choice(owners), cls=cls)
    return owned(blocks, spare or 'h' if blocks[0] < 'p' else spare or 'z', by=r.choice(owners), cls=cls)


def random_scenario(seed, with_fork):
    """Three threads that do anything to one or two slabs; frees of blocks that are not allocated then are skipped."""
    r = random.Random(seed)
    blocks = 'abcd'[:r.choice((2, 3, 3, 4))]
    slab0 = random_slab(r, blocks, r.choice(('', 'h')), X, (1, 2))
    others, cls = 'pq'[:r.choice((1, 2))], r.choice((X, Y))
    slab1 = NO_SLAB if r.random() < 0.5 else random_slab(r, others, '', cls, (3,))
    pool = [TAKE, TAKE_Y, POP, POP, TRIM, PUBLISH, FLUSH, ADOPT, ADOPT_Y, FETCH, FRESH_X, FRESH_Y, hint(0), hint(1),
            hint(1, Y), if_allocated('a'), if_allocated('p')]
    scripts = [[r.choice(pool) for _ in range(r.choice((0, 1, 1, 2, 2)))] for _ in range(3)]
    allocated = list(blocks + others)
    r.shuffle(allocated)
    while allocated:
        bundle, allocated = allocated[:(size := r.choice((1, 1, 2, 2, 3)))], allocated[size:]
        script = r.choice(scripts)
        op = 'keep_if' if r.random() < 0.25 else 'free_if'
        script.insert(r.randrange(len(script) + 1), (op, ''.join(sorted(bundle))))
    living = [t for t in range(3) if r.random() < 0.5] or [0]
    for t in set(range(3)) - set(living):
        cut = r.randrange(len(scripts[t]) + 1)
        late_ops = [('late_if', op[1]) if op[0].endswith('_if') else late_do(op) for op in scripts[t][cut:]
                    if op[0] in ('free_if', 'keep_if', 'H1', 'G0', 'MF')]
        scripts[t][cut:] = [EXIT] + late_ops
    if with_fork:
        child = {living[0]: (if_allocated(blocks[::2] + others), r.choice(pool + [GIVE_LEFT] * 8), TRIM)}
        if r.random() < 0.5:
            child[(living[0] + 1) % 3] = (if_allocated(blocks[1::2]), r.choice(pool))
        forker = scripts[living[0]]
        forker.insert(r.randrange(len(forker) + 1), fork(child))
    elif len(living) == 2 and living[1] + 1 not in (slab0[0], slab1[0]):
        dead = ({0, 1, 2} - set(living)).pop()
        scripts[living[1]].insert(0, start(dead + 1))
    name = f'random {seed}' + (' with a fork' if with_fork else '')
    return Scenario(name, (slab0, slab1), tuple(map(tuple, scripts)), with_fork, True, r.random() < 0.3)
