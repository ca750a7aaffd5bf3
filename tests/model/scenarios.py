"""What the model tries: scenarios that must hold, mutations that must be caught, and random scenarios."""
import random
from collections import namedtuple

from protocol import ALIVE, DEAD, FREE, LATE, NOTICE, POOLED, UNOWNED, Slab, Tcb, Thread, World


class Setup(namedtuple('Setup', 'blocks classes reserve spare torn')):
    """What does not change during an exploration."""
    __hash__ = object.__hash__


Scenario = namedtuple('Scenario', 'name slabs scripts torn deep')


def initial_world(scenario):
    n = len(scenario.scripts)
    w = World()
    w.slabs, blocks, classes = [], [], set()
    w.allocated, w.mask = frozenset(), frozenset()
    for s, (owner, cls, names, free, remote) in enumerate(scenario.slabs):
        names, free = frozenset(names), frozenset(free)
        blocks.append(names)
        if cls == FREE:
            w.slabs.append(Slab(0, FREE, (), frozenset(), 0, None, False, None))
            w.mask = w.mask | {s}
            continue
        classes.add(cls)
        place = 'full' if remote == NOTICE else 'partial' if owner else None
        w.slabs.append(Slab(owner, cls, remote, free, len(names) - len(free), place, owner == 0 and bool(free), None))
        w.allocated = w.allocated | (names - free)
    ops = [op for script in scenario.scripts for op in script]
    classes |= {op[-1] for op in ops if op[0] in ('H1', 'G0', 'F1')}
    w.tcbs = [Tcb(DEAD, ())] + [Tcb(ALIVE, ()) for _ in range(n)] + [Tcb(DEAD, ()), Tcb(POOLED, ())]
    w.threads = []
    for t, script in enumerate(scenario.scripts):
        newcomer = script[:1] and script[0][0] in ('START', 'late')  # has no TCB at first
        if newcomer:
            w.set_tcb(t + 1, state=POOLED)
        w.threads.append(Thread(LATE if newcomer else t + 1, tuple(script), ()))
    w.mapped, w.locks, w.child, w.missing = True, (), False, frozenset()
    w.registry = frozenset((slab.tag, s) for s, slab in enumerate(w.slabs) if slab.in_reg)
    w.setup = Setup(tuple(blocks), frozenset(classes), n + 1, n + 2, scenario.torn)
    return w


# ---- scenarios. Thread t starts with TCB t+1. Slab 0 has blocks a.., slab 1 has blocks p..

X, Y = 'X', 'Y'  # two size classes


def free(blocks):
    return ('free', blocks)


def late(blocks):
    """Freed by a thread that has ended, from a destructor that runs late."""
    return ('late', blocks)


def if_allocated(blocks):
    return ('free_if', blocks)


def hint(s, cls=X):
    return ('H1', s, cls)


TAKE_ALL, MARK_FULL, WOKEN, POLL, TICK = ('take',), ('full',), ('woken',), ('poll',), ('tick',)
EXIT, PUBLISH = ('exit',), ('publish',)
ADOPT, FRESH_X, FRESH_Y = ('G0', X), ('F1', X), ('F1', Y)


def fork(child):
    return ('fork', tuple(sorted(child.items())))


NO_SLAB = (0, FREE, 'pq', '', ())


def scene(name, slab0, *scripts, slab1=NO_SLAB, torn=False, deep=False):
    return Scenario(name, (slab0, slab1), scripts, torn, deep)


def owned(blocks, spare='', by=1, remote=()):
    return (by, X, blocks + spare, spare, remote)


def full(blocks):
    return (1, X, blocks, '', NOTICE)


def unowned(blocks, spare='', cls=X):
    return (0, cls, blocks + spare, spare, UNOWNED)


SCENARIOS = [
    # notice, mailbox, exit
    scene('bundles into a full slab, owner exits', full('abcd'), [EXIT], [free('ab')], [free('cd')]),
    scene('bundle of three, owner exits', full('abcd'), [free('d'), EXIT], [free('abc')]),
    scene('last blocks of a full slab', full('abc'), [POLL, TICK, EXIT], [free('ab')], [free('c')]),
    scene('full, poll, full again', full('abcd'), [POLL, TAKE_ALL, MARK_FULL, POLL], [free('ab')], [free('c')]),
    scene('woken before the notice', full('abcd'), [WOKEN, TAKE_ALL, MARK_FULL, POLL], [free('ab')], [free('c')]),
    scene('exit of owner and freers', full('abc'), [EXIT], [free('a'), EXIT], [free('b'), EXIT]),
    scene('notice to the owner before last', full('abc'), [EXIT], [free('a')],
          [ADOPT, free('c'), TAKE_ALL, MARK_FULL, POLL]),
    scene('stale receiver, new full owner', owned('abc', 'h'), [TAKE_ALL, MARK_FULL, free('h'), EXIT], [free('ab')],
          [ADOPT, TAKE_ALL, MARK_FULL, POLL]),
    # publish and adopt
    scene('publish against frees', owned('abc', 'h'), [PUBLISH, TICK], [free('ab')], [free('c'), TICK]),
    scene('publish against adopt', owned('ab', 'h'), [PUBLISH, free('a'), TICK], [ADOPT, free('b'), EXIT],
          [ADOPT, TICK]),
    scene('exit, adopt, exit', owned('abc', 'h'), [free('c'), EXIT], [ADOPT, EXIT], [free('ab'), EXIT]),
    scene('two adopt by a free', unowned('abc', 'h'), [free('ab'), TICK], [free('c'), EXIT], [ADOPT]),
    # a recycled TCB
    scene('recycled TCB', full('ab'), [EXIT], [free('a')], [('START', 1), ADOPT, TAKE_ALL, MARK_FULL, POLL]),
    scene('mail of a recycled TCB is taken by a late sender', full('ab'), [EXIT], [free('a')],
          [('START', 1), MARK_FULL, POLL], [free('p')], slab1=(1, X, 'pq', '', ())),
    scene('new thread, new slab, old mail', full('ab'), [free('b'), EXIT], [free('a')],
          [('START', 1), FRESH_X, MARK_FULL, POLL], [if_allocated('p')], slab1=(0, FREE, 'pq', '', ())),
    # frees of threads without TCB
    scene('late frees', full('abc'), [EXIT, late('c')], [free('a'), EXIT, late('b')]),
    scene('late free against freers', owned('abc', 'h'), [EXIT], [late('ab')], [free('c'), TICK]),
    scene('notice meets the reserve', full('abc'), [free('b'), EXIT], [late('c')], [free('a'), EXIT]),
    # release, the SuperSlab goes, ABA
    scene('both slabs go back', owned('a', 'h'), [TICK, EXIT], [free('a')], [free('p'), EXIT],
          slab1=(3, X, 'p', '', ())),
    scene('hint while the SuperSlab goes', owned('a', 'h'), [free('a')], [hint(0), TICK], [free('p'), EXIT],
          slab1=(3, Y, 'p', '', ())),
    scene('hint to an owned slab', owned('ab', 'h'), [free('a'), PUBLISH], [hint(0), TAKE_ALL, MARK_FULL, POLL],
          [free('b')]),
    scene('hint, slab taken by another class', owned('a'), [free('a'), FRESH_X, PUBLISH], [hint(0), TAKE_ALL],
          [FRESH_Y, PUBLISH]),
    scene('fresh after release, other class', owned('a', 'h'), [free('a')], [FRESH_Y, free('p')],
          [hint(0), hint(1), TICK], slab1=(2, Y, 'p', '', ())),
    # fork: thread 0 forks at any instant; the child frees what is still allocated, alone or with a new thread
    scene('fork while the owner exits', owned('ab', 'h', by=2), [fork({0: (if_allocated('ab'), TICK)})], [EXIT],
          torn=True),
    scene('fork, two freers in the child', owned('abc', 'h', by=2),
          [fork({0: (if_allocated('ab'), TICK), 1: (if_allocated('c'), TICK)})], [EXIT], torn=True),
    scene('fork, full slab of a dead owner', (2, X, 'abc', '', NOTICE), [fork({0: (if_allocated('abc'), TICK)})],
          [POLL, EXIT], [free('ab')], torn=True),
    scene('fork while another claims by a free', unowned('abc', 'h'), [fork({0: (if_allocated('bc'), ADOPT, TICK)})],
          [free('a'), TICK], torn=True),
    scene('fork, child adopts from the registry', unowned('ab', 'h'),
          [fork({0: (ADOPT, if_allocated('ab'), TICK), 1: (ADOPT, TICK)})], [free('a'), PUBLISH], torn=True),
    scene('fork while another is late', owned('ab', 'h', by=2), [fork({0: (if_allocated('ab'), TICK)})], [EXIT],
          [late('b')], torn=True),
    scene('fork while a slab goes back', owned('a', 'h', by=2), [fork({0: (if_allocated('ap'), FRESH_Y, EXIT)})],
          [free('a')], [free('p'), FRESH_Y], slab1=(3, X, 'p', '', ()), torn=True),
    scene('fork while another claims by a free, no space', unowned('abcd'), [fork({0: (if_allocated('bc'), TICK)})],
          [free('a'), TICK], torn=True),
    scene('fork while a notice is on its way', full('abc'), [fork({0: (POLL, TICK), 1: (if_allocated('b'),)})],
          [free('a')], torn=True),
    scene('fork while another claims by a hint', unowned('ab', 'h'), [fork({0: (hint(0), if_allocated('ab'), TICK)})],
          [hint(0), EXIT], torn=True),
    # bigger ones
    scene('three bundles and an exit', full('abcdef'), [free('f'), EXIT], [free('ab'), EXIT], [free('cd')], [free('e')],
          deep=True),
    scene('refull cycles', owned('abcd'), [MARK_FULL, POLL, free('d'), MARK_FULL, POLL, EXIT],
          [free('a'), MARK_FULL, POLL, EXIT], [free('bc'), POLL], [ADOPT], deep=True),
    scene('two exits, adopt, late', owned('abcd', 'h'), [EXIT, late('d')], [ADOPT, free('a'), EXIT], [free('b'), EXIT],
          [free('c')], deep=True),
    scene('recycled TCB, two senders', full('abc'), [free('c'), EXIT], [free('ab')],
          [('START', 1), ADOPT, TAKE_ALL, MARK_FULL, POLL, EXIT], [free('p'), ADOPT, TICK],
          slab1=(1, X, 'pq', '', NOTICE), deep=True),
    scene('two slabs, hints and gate', owned('ab', 'h'), [free('a'), EXIT], [hint(0), hint(1), TICK],
          [free('bp'), FRESH_Y], [hint(1, Y), EXIT], slab1=(1, X, 'p', '', ()), deep=True),
    scene('fork among three', (2, X, 'abcd', '', NOTICE),
          [fork({0: (if_allocated('abd'), TICK), 1: (if_allocated('c'), ADOPT)})], [POLL, EXIT],
          [free('ab')], [free('c'), EXIT], torn=True, deep=True),
]

# One rule left out, and the scenario that must notice. Several others may, too.
MUTATIONS = [
    ('no-U', 'publish does not set U', 'publish against frees'),
    ('no-dead-check', 'sender does not look whether the receiver is dead', 'bundles into a full slab, owner exits'),
    ('no-reread', 'notice goes to the owner seen before N was taken', 'stale receiver, new full owner'),
    ('bind-anyway', "the claim's result is ignored", 'hint to an owned slab'),
    ('drain-before-claim', 'the remote stack is taken before the claim', 'hint to an owned slab'),
    ('notice-also-pushed', 'the block that is the notice is pushed as well', 'bundle of three, owner exits'),
    ('release-unlocked', 'a slab goes back without the SuperSlab lock', 'both slabs go back'),
    ('words-in-superslab', 'owner words go with their SuperSlab', 'hint while the SuperSlab goes'),
    ('look-before-claim', 'a hint looks at meta before it claims', 'hint to an owned slab'),
    ('mask-before-word', 'the SuperSlab gets the slab before its owner word is FREE',
     'fresh after release, other class'),
    ('no-orphan-rule', 'the child waits for an owner that does not exist', 'fork while the owner exits'),
    ('A5-before-A4', 'the owner word is released before U is set', 'publish against frees'),
    ('keep-U', 'the claimer does not take U', 'two adopt by a free'),
    ('meta-before-U', 'the claimer touches meta before it takes U', 'fork while another claims by a free, no space'),
    ('no-renewed-notice', 'the child trusts that a taken N will be followed by a notice',
     'fork while a notice is on its way'),
    ('swallow', "what a late sender takes out of a recycled TCB's mailbox is freed plainly",
     'new thread, new slab, old mail'),
    ('reserve-mail', 'the reserve TCB ends without a look at its mailbox', 'notice meets the reserve'),
    ('fork-reserve-last', 'the fork takes the reserve lock after the others', 'fork while another is late'),
]


def random_scenario(seed, with_fork):
    """Three threads that do anything to one or two slabs; frees of blocks that are not allocated then are skipped."""
    r = random.Random(seed)
    blocks, spare = 'abcd'[:r.choice((2, 3, 3, 4))], r.choice(('', 'h', 'h'))
    slab0 = r.choice((full(blocks), owned(blocks, spare, by=r.choice((1, 2))), unowned(blocks, spare)))
    others = 'pq'[:r.choice((1, 2))]
    slab1 = r.choice((NO_SLAB, NO_SLAB, (r.choice((1, 2, 3)), r.choice((X, Y)), others, '', r.choice(((), NOTICE))),
                      unowned(others, cls=r.choice((X, Y)))))
    pool = [TAKE_ALL, MARK_FULL, WOKEN, POLL, TICK, PUBLISH, ADOPT, FRESH_X, FRESH_Y, hint(0), hint(1), hint(1, Y),
            if_allocated('a'), if_allocated('p')]
    scripts = [[r.choice(pool) for _ in range(r.choice((0, 1, 1, 2, 2)))] for _ in range(3)]
    allocated = list(blocks + others)
    r.shuffle(allocated)
    while allocated:
        bundle, allocated = allocated[:(size := r.choice((1, 1, 2, 2, 3)))], allocated[size:]
        script = r.choice(scripts)
        script.insert(r.randrange(len(script) + 1), if_allocated(''.join(sorted(bundle))))
    living = [t for t in range(3) if r.random() < 0.5] or [0]
    for t in set(range(3)) - set(living):
        cut = r.randrange(len(scripts[t]) + 1)
        scripts[t][cut:] = [EXIT] + [('late_if', op[1]) for op in scripts[t][cut:] if op[0] == 'free_if']
    if with_fork:
        child = {living[0]: (if_allocated(blocks[::2] + others), r.choice(pool), TICK)}
        if r.random() < 0.5:
            child[(living[0] + 1) % 3] = (if_allocated(blocks[1::2]), r.choice(pool))
        forker = scripts[living[0]]
        forker.insert(r.randrange(len(forker) + 1), fork(child))
    elif len(living) == 2 and living[1] + 1 not in (slab0[0], slab1[0]):
        dead = ({0, 1, 2} - set(living)).pop()
        scripts[living[1]].insert(0, ('START', dead + 1))
    name = f'random {seed}' + (' with a fork' if with_fork else '')
    return Scenario(name, (slab0, slab1), tuple(map(tuple, scripts)), with_fork, True)
