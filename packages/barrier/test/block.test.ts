import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bootMicros } from '@ringfence/host-kit';
import {
  type Barrier,
  type BarrierAction,
  type BarrierRule,
  HOST,
  NEVER,
  type Network,
  networkOf,
} from '../src/index.ts';
import { NetworkLab, OTHER_PORT, OWN, PEER, PEER6, PORT, type Program } from './lab.ts';

const NS_PER_US = 1000;
const inSeconds = (seconds: number): bigint => BigInt(Math.trunc((bootMicros() + seconds * 1e6) * NS_PER_US));
const block = (text: string, port = 0, scope = HOST): BarrierRule => ({
  ...{ what: 'block', scope, port },
  network: networkOf(text) as Network,
});
const action = (id: string, rules: readonly BarrierRule[], until = NEVER): BarrierAction => ({ id, rules, until });

describe('a block', () => {
  let lab: NetworkLab;
  let barrier: Barrier;
  let program: Program;
  before(async () => {
    lab = await NetworkLab.start();
    barrier = await lab.barrier();
    program = await lab.program();
  });
  after(async () => {
    barrier[Symbol.dispose]();
    await lab[Symbol.asyncDispose]();
  });

  it('refuses an address, and lets it through again', async () => {
    assert.equal(barrier.isAttached, false);
    assert.equal(await program.ask(`tcp ${PEER} ${PORT}`), 'ok');
    barrier.add(action('one', [block(PEER)]));
    assert.equal(barrier.holds('one'), true);
    assert.equal(await program.ask(`tcp ${PEER} ${PORT}`), 'EPERM');
    assert.equal(await program.ask(`udp ${PEER} ${PORT}`), 'EPERM');
    assert.equal(await program.ask(`tcp ${PEER6} ${PORT}`), 'ok');
    assert.equal(await program.ask(`tcp ::ffff:${PEER} ${PORT}`), 'EPERM');
    barrier.remove('one');
    assert.equal(barrier.holds('one'), false);
    assert.equal(barrier.isAttached, false);
    assert.equal(await program.ask(`tcp ${PEER} ${PORT}`), 'ok');
    assert.equal(await program.ask(`udp ${PEER} ${PORT}`), 'ok');
  });

  it('refuses a network of IPv6', async () => {
    barrier.add(action('six', [block('2001:db8::/126')]));
    assert.equal(await program.ask(`tcp ${PEER6} ${PORT}`), 'EPERM');
    assert.equal(await program.ask(`udp ${PEER6} ${PORT}`), 'EPERM');
    assert.equal(await program.ask(`tcp ${PEER} ${PORT}`), 'ok');
    barrier.remove('six');
  });

  it('of one port leaves the others', async () => {
    barrier.add(action('port', [block(PEER, PORT), block(PEER6, PORT)]));
    for (const host of [PEER, PEER6]) {
      assert.equal(await program.ask(`tcp ${host} ${PORT}`), 'EPERM');
      assert.equal(await program.ask(`udp ${host} ${PORT}`), 'EPERM');
      assert.equal(await program.ask(`tcp ${host} ${OTHER_PORT}`), 'ok');
    }
    barrier.remove('port');
  });

  it('stops connections that were there before, and what a raw socket sends', async () => {
    const raw = await lab.program();
    assert.equal(await program.ask(`hold tcp ${PEER} ${PORT}`), 'ok');
    assert.equal(await program.ask('use'), 'ok');
    assert.equal(await raw.ask(`hold raw ${PEER} ${PORT}`), 'ok');
    assert.equal(await raw.ask('use'), 'sent');
    barrier.add(action('old', [block(PEER)]));
    await lab.arrived();
    assert.equal(await program.ask('use'), 'timeout');
    assert.equal(await raw.ask('use'), 'EPERM');
    assert.equal(await lab.arrived(), 0);
    barrier.remove('old');
  });

  it('refuses what the address begins', async () => {
    assert.equal(await program.ask('listen 7003'), 'ok');
    assert.equal(await lab.peer.ask(`connect ${OWN} 7003`), 'ok');
    barrier.add(action('in', [block(PEER)]));
    assert.equal(await lab.peer.ask(`connect ${OWN} 7003`), 'TimeoutError');
    barrier.remove('in');
    assert.equal(await lab.peer.ask(`connect ${OWN} 7003`), 'ok');
  });

  it('ends at its time, and hides no larger one until then', async () => {
    barrier.add(action('short', [block(PEER)], inSeconds(0.5)));
    barrier.add(action('long', [block('198.51.100.0/24')], inSeconds(2)));
    assert.equal(await program.ask(`udp ${PEER} ${PORT}`), 'EPERM');
    await sleep(700);
    assert.equal(await program.ask(`udp ${PEER} ${PORT}`), 'EPERM');
    await sleep(1500);
    assert.equal(await program.ask(`udp ${PEER} ${PORT}`), 'ok');
    barrier.remove('short');
    barrier.remove('long');
  });

  it('of a cgroup holds in those below it, and nowhere else', async () => {
    const container = lab.group();
    const nested = lab.group(container);
    const [inside, below] = [await lab.program(container), await lab.program(nested)];
    barrier.add(action('scoped', [block(PEER, 0, container.id)]));
    assert.equal(await inside.ask(`tcp ${PEER} ${PORT}`), 'EPERM');
    assert.equal(await below.ask(`udp ${PEER} ${PORT}`), 'EPERM');
    assert.equal(await program.ask(`tcp ${PEER} ${PORT}`), 'ok');
    barrier.remove('scoped');
    assert.equal(await inside.ask(`tcp ${PEER} ${PORT}`), 'ok');
  });

  it('that two actions want lasts until both are taken back', async () => {
    barrier.add(action('first', [block(PEER)], inSeconds(1)));
    barrier.add(action('second', [block(PEER), block(PEER6)]));
    barrier.remove('second');
    assert.equal(await program.ask(`udp ${PEER} ${PORT}`), 'EPERM');
    assert.equal(await program.ask(`udp ${PEER6} ${PORT}`), 'ok');
    barrier.remove('first');
    assert.equal(await program.ask(`udp ${PEER} ${PORT}`), 'ok');
  });

  it('of a domain refuses queries for it and for those below it', async () => {
    barrier.add(action('name', [{ what: 'block-domain', scope: HOST, domain: 'evil.test' }]));
    for (const name of ['evil.test', 'EVIL.test', 'a.b.evil.test', `${'x'.repeat(60)}.${'y'.repeat(60)}.evil.test`])
      assert.equal(await program.ask(`query ${PEER} ${name}`), 'EPERM', name);
    for (const name of ['notevil.test', 'evil.test.org', 'test', 'fine.example'])
      assert.equal(await program.ask(`query ${PEER} ${name}`), 'ok', name);
    assert.equal(await program.ask(`malformed ${PEER} fine.example`), 'EPERM');
    barrier.remove('name');
    assert.equal(await program.ask(`query ${PEER} evil.test`), 'ok');
  });

  it('counts what it refuses, by cause', async () => {
    const earlier = barrier.counts();
    barrier.add(action('counted', [block(PEER)]));
    await program.ask(`tcp ${PEER} ${PORT}`);
    await program.ask(`udp ${PEER} ${PORT}`);
    const now = barrier.counts();
    assert.equal(now.blockedConnects, earlier.blockedConnects + 1);
    assert.equal(now.blockedPackets, earlier.blockedPackets + 1);
    barrier.remove('counted');
  });

  it('keeps each of 1,000 overlapping blocks until its own end', () => {
    const ids = Array.from({ length: 1000 }, (_, index) => `many-${index}`);
    const rules = (index: number): BarrierRule[] => [block(`192.0.2.${index % 50}`), block(`203.0.113.${index % 7}`)];
    for (const [index, id] of ids.entries()) barrier.add(action(id, rules(index)));
    for (const [index, id] of ids.entries()) {
      assert.equal(barrier.holds(id), true, `${index}`);
      barrier.remove(id);
      assert.equal(barrier.holds(id), false);
    }
    assert.equal(barrier.isAttached, false);
  });
});
