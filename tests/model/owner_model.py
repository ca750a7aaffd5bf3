#!/usr/bin/env python3
"""The ownership protocol of lib/slab on a model: every interleaving of a few threads is tried.

usage: owner_model.py [--deep] [--scenario NAME] [--mutation NAME] [--random N] [--list]

Without arguments every scenario must hold and every mutation (the protocol with one rule left out) must be caught by
the scenario named beside it; only then the exit status is 0. --deep adds scenarios that take minutes.
protocol.py has the steps, scenarios.py what is tried. Interleavings are sequentially consistent; docs/OWNERSHIP.md
argues the memory orders.
"""
import argparse
import gc
import sys
import time

import protocol
from protocol import (BLOCKED, FREE, LEFT, LOST, META_STEPS, STEPS, UNOWNED, Violation, begin, every_block,
                      kept_blocks)
from scenarios import MUTATIONS, SCENARIOS, initial_world, random_scenario


# ---- exploration

def advance(world, t):
    """The states that thread t's next step leads to; none if it waits or has ended."""
    thread = world.threads[t]
    if not thread.stack and not thread.script:
        return []
    w = world.clone()
    while not w.threads[t].stack:  # the start of an operation touches nothing shared, so its first step comes at once
        script = w.threads[t].script
        if not script:
            return [w]
        w.threads[t] = w.threads[t]._replace(script=script[1:])
        frames = begin(w, t, script[0])  # may change the thread
        w.threads[t] = w.threads[t]._replace(stack=frames)
    frame = w.threads[t].stack[0]
    if frame[0] in META_STEPS and w.setup.torn:
        if w.meta(t, frame[1]).torn is None:
            w.set(frame[1], torn=t)
            return [w]
        w.set(frame[1], torn=None)
    more = STEPS[frame[0]](w, t, *frame[1:])
    if more is BLOCKED:
        return []
    return [w] + (more or [])


def run_alone(w, t, *script):
    """The world after thread t has done that, with all others at rest."""
    w = w.clone()
    w.threads[t] = w.threads[t]._replace(script=script)
    while w.threads[t].stack or w.threads[t].script:
        following = advance(w, t)
        if not following:
            raise Violation(f'thread {t} waits for ever at {w.threads[t].stack[:1]} after all others have ended')
        w = following[0]
    return w


def check_end(w):
    """All scripts have ended: nothing lost, nothing in no list; then all threads end, then all is freed."""
    for t, thread in enumerate(w.threads):
        if thread.stack or thread.script:
            raise Violation(f'thread {t} waits for ever at {thread.stack[:1] or thread.script[:1]}')
    if w.locks:
        raise Violation(f'locks left held: {w.locks}')
    dead = {i for i, tcb in enumerate(w.tcbs) if tcb.state == LOST}
    check_blocks(w)
    for s, slab in enumerate(w.slabs):
        if w.mapped and slab.owner and slab.owner not in dead and slab.place is None:
            raise Violation(f'slab {s} is owned by {slab.owner} and in none of its lists')
        if w.mapped and slab.owner not in dead and slab.place == 'full' and slab.free:
            raise Violation(f'slab {s} is among the full ones of {slab.owner}, where no refill finds its free blocks')
    while any(tcb.state == LEFT for tcb in w.tcbs):
        w = run_alone(w, 0, ('left',))
    check_blocks(w)
    for t, thread in enumerate(w.threads):
        if thread.me:
            w = run_alone(w, t, ('exit',))
    check_blocks(w)
    check_all_given_up(w, dead)
    w = run_alone(w, 0, ('late', ''.join(sorted(w.allocated))))
    check_blocks(w)
    check_all_given_back(w, dead)


def check_pool(w):
    for i, tcb in enumerate(w.tcbs):
        if tcb.pooled and (tcb.bins or tcb.bundle):
            raise Violation(f'TCB {i} is in the pool and has blocks {sorted(tcb.bins | tcb.bundle)}')


def check_blocks(w):
    check_pool(w)
    found = kept_blocks(w)
    if len(found) != len(set(found)):
        raise Violation(f'a block is in two places: {sorted(found)}')
    lost = set(every_block(w)) - set(found)
    if not lost <= w.missing:
        raise Violation(f'blocks lost: {sorted(lost - w.missing)}')


def check_all_given_up(w, dead):
    """No thread is left: what is in use has no owner, and whoever comes can claim it."""
    for s, slab in enumerate(w.slabs):
        if w.mapped and slab.tag != FREE and slab.owner not in dead:
            check_slab_at_rest(w, s, slab)
    linked = {(slab.tag, s) for s, slab in enumerate(w.slabs) if w.mapped and slab.in_reg}
    if linked != set(w.registry) or len(linked) != len(w.registry):
        raise Violation(f'registry {sorted(w.registry)} differs from the flags {sorted(linked)}')
    for _, s in w.registry:
        if w.slabs[s].owner in dead and w.slabs[s].remote != UNOWNED:
            raise Violation(f'slab {s} is in the registry, and its owner {w.slabs[s].owner} will never give it up')
    if w.mapped and not w.child and {s for s, slab in enumerate(w.slabs) if slab.tag == FREE} != w.mask:
        raise Violation(f'released slabs and mask {sorted(w.mask)} differ')
    if w.mapped and len(w.mask) == len(w.slabs):
        raise Violation('an empty SuperSlab was not given back')


def check_slab_at_rest(w, s, slab):
    if slab.torn is not None:
        raise Violation(f'slab {s} has half-updated meta')
    if slab.owner:
        raise Violation(f'slab {s} was not given up by {slab.owner}, which has ended')
    if slab.remote != UNOWNED:
        raise Violation(f'slab {s} is unowned without U: {slab.remote}')
    if slab.used != len(w.setup.blocks[s]) - len(slab.free):
        raise Violation(f'slab {s}: used is {slab.used}, free are {sorted(slab.free)}')
    if slab.used == 0:
        raise Violation(f'slab {s} is empty and was not released')
    if bool(slab.free) != slab.in_reg:
        raise Violation(f'slab {s} is unowned with free blocks {sorted(slab.free)}, in the registry: {slab.in_reg}')


def check_all_given_back(w, dead):
    """Every block was freed: only what a fork took away may be left."""
    left = [s for s, slab in enumerate(w.slabs)
            if w.mapped and slab.tag != FREE and slab.owner not in dead and not w.setup.blocks[s] & w.missing]
    if left:
        raise Violation(f'every block is free, and slabs {left} are not given back')
    if w.mapped and not w.child:
        raise Violation('every block is free, and the SuperSlab is not given back')


class Found(Exception):
    """A violation, and the way to it."""

    def __init__(self, why, trace):
        super().__init__(why)
        self.trace = trace


def explore(scenario):
    """Every reachable state. Returns (states, ends); raises Found at the first violation."""
    first = initial_world(scenario)
    number = {first.key(): 0}
    before = [[]]  # per state: the states that lead to it, with the step; the first entry is the way it was found
    todo = [(first, 0)]
    ends = []
    try:
        while todo:
            world, here = todo.pop()
            moved = False
            for t in range(len(world.threads)):
                doing = next_step(world, t)
                for following in advance(world, t):
                    moved = True
                    key = following.key()
                    there = number.get(key)
                    if there is None:
                        there = number[key] = len(before)
                        before.append([])
                        todo.append((following, there))
                    before[there].append((here, t, doing))
            if not moved:
                doing = 'end'
                check_end(world)
                ends.append(here)
    except Violation as violation:
        raise Found(str(violation), trace_to(number, before, here) + [f'  then: {doing}']) from None
    stuck = len(before) - count_reaching(before, ends)
    if stuck:
        raise Found(f'{stuck} states from which the threads never come to an end', [])
    return len(before), len(ends)


def next_step(world, t):
    thread = world.threads[t]
    return (t, thread.stack[0] if thread.stack else thread.script[0] if thread.script else 'ended')


def count_reaching(before, ends):
    """How many states have a way to an end: a livelock has none."""
    seen = set(ends)
    todo = list(ends)
    while todo:
        for source, _, _ in before[todo.pop()]:
            if source not in seen:
                seen.add(source)
                todo.append(source)
    return len(seen)


def trace_to(number, before, here):
    keys = {n: key for key, n in number.items()}
    path = []
    while before[here]:
        here_from, t, doing = before[here][0]
        slabs = keys[here][0]
        state = ' '.join(f'[{x.owner}|{x.tag} remote={x.remote!r} free={"".join(sorted(x.free))} used={x.used} '
                         f'{x.place}{" in_reg" if x.in_reg else ""}{" torn" if x.torn is not None else ""}]'
                         for x in slabs)
        lists = ' '.join(f'{i}:{"".join(sorted(x.sll))}' for i, x in enumerate(keys[here][2]) if x.sll)
        path.append(f'  thread {t} {doing[1]}  ->  {state} {f"lists {lists}" if lists else ""}')
        here = here_from
    return path[::-1]


def run_scenario(scenario):
    start = time.monotonic()
    try:
        states, ends = explore(scenario)
    except Found as found:
        print(f'FAIL {scenario.name}: {found}', *found.trace, sep='\n')
        return False
    print(f'ok   {scenario.name}: {states} states, {ends} ends, {time.monotonic() - start:.1f} s', flush=True)
    return True


def run_mutation(name, what, scenario, show_trace=False):
    protocol.MUTATION = name
    try:
        explore(scenario)
    except Found as found:
        print(f'ok   mutation {name} ({what}): caught by "{scenario.name}": {found}', flush=True)
        if show_trace:
            print(*found.trace, sep='\n')
        return True
    finally:
        protocol.MUTATION = None
    print(f'FAIL mutation {name} ({what}): not caught by "{scenario.name}"', flush=True)
    return False


def main():
    parser = argparse.ArgumentParser(description='Explores the ownership protocol; exit status 0: it holds.')
    parser.add_argument('--deep', action='store_true', help='also the scenarios that take minutes')
    parser.add_argument('--scenario', metavar='NAME', help='this scenario alone (with --mutation: under that mutation)')
    parser.add_argument('--mutation', metavar='NAME', help='this mutation alone, with the way to the violation')
    parser.add_argument('--list', action='store_true', help='names of scenarios and mutations')
    parser.add_argument('--random', metavar='N', type=int,
                        help='so many random scenarios without and with a fork (default 20 each; --deep 500)')
    args = parser.parse_args()
    if args.random is not None and args.random < 0:
        parser.error('--random wants a number that is not negative')
    by_name = {scenario.name: scenario for scenario in SCENARIOS}
    if args.list:
        print(*by_name, *(f'mutation {name}: {what}' for name, what, _ in MUTATIONS), sep='\n')
        return 0
    if args.scenario is not None and args.scenario not in by_name:
        parser.error(f'no scenario "{args.scenario}"; --list names them')
    if args.mutation is not None:
        chosen = [m for m in MUTATIONS if m[0] == args.mutation]
        if not chosen:
            parser.error(f'no mutation "{args.mutation}"; --list names them')
        name, what, catcher = chosen[0]
        return 0 if run_mutation(name, what, by_name[args.scenario or catcher], show_trace=True) else 1
    if args.scenario is not None:
        return 0 if run_scenario(by_name[args.scenario]) else 1
    gc.disable()  # states are in no circles, and the search for some takes a third of the time
    held = [run_scenario(s) for s in SCENARIOS if args.deep or not s.deep]
    drawn = (500 if args.deep else 20) if args.random is None else args.random
    held += [run_scenario(random_scenario(seed, with_fork)) for with_fork in (False, True) for seed in range(drawn)]
    caught = [run_mutation(name, what, by_name[catcher]) for name, what, catcher in MUTATIONS]
    print(f'{sum(held)} of {len(held)} scenarios hold, {sum(caught)} of {len(caught)} mutations caught')
    return 0 if all(held) and all(caught) else 1


if __name__ == '__main__':
    sys.exit(main())
