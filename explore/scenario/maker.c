#include "scenario/maker.h"

#include "base/random.h"

#include <stdio.h>

uint32_t maker_below(Maker* m, uint32_t n) {
    return (uint32_t)(random_of(&m->stream) % n);
}

uint8_t maker_block(Maker* m, unsigned maker) {
    Scenario* s = m->scenario;
    if (s->block_count == BLOCKS_MOST) return BLOCKS_MOST;
    unsigned b = s->block_count++;
    snprintf(s->block_name[b], NAME_MOST, "%c%u", 'a' + (int)(maker & ~(unsigned)IN_SETUP), b);
    m->maker[b] = (uint8_t)maker;
    return (uint8_t)b;
}

static bool may_take(const Maker* m, unsigned thread, unsigned block) {
    return !m->taken[block] && (!m->alone[thread] || m->maker[block] == thread || m->maker[block] & IN_SETUP);
}

uint8_t maker_take(Maker* m, unsigned thread) {
    for (int tries = 0; tries < 16 && m->scenario->block_count > 0; tries++) {
        unsigned b = maker_below(m, m->scenario->block_count);
        bool own = (m->maker[b] & ~(unsigned)IN_SETUP) == thread;
        if (!may_take(m, thread, b) || (own && tries < 8)) continue;
        m->taken[b] = true;
        return (uint8_t)b;
    }
    return BLOCKS_MOST;
}

bool maker_has_room(const Maker* m, unsigned thread) {
    return m->scenario->op_count[thread] < OPS_MOST;
}

bool maker_setup_has_room(const Maker* m) {
    return m->scenario->setup_count < SETUP_OPS_MOST;
}

void maker_setup(Maker* m, Op op) {
    Scenario* s = m->scenario;
    if (maker_setup_has_room(m)) s->setup[s->setup_count++] = op;
}

void maker_op(Maker* m, unsigned thread, Op op) {
    Scenario* s = m->scenario;
    if (op.kind != OP_START) op.thread = (uint8_t)thread;
    if (maker_has_room(m, thread)) s->op[thread][s->op_count[thread]++] = op;
}
