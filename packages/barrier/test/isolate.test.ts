import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { BpfLink } from '@ringfence/libbpf-ts';
import { type Barrier, type BarrierRule, HOST, NEVER, type Network, networkOf } from '../src/index.ts';
import { NetworkLab, OTHER_PORT, OWN, PEER, PEER6, PORT, type Program } from './lab.ts';

const isolate = (scope = HOST): BarrierRule => ({ what: 'isolate', scope });
const allow = (text: string): BarrierRule => ({
  ...{ what: 'allow', scope: HOST, port: 0 },
  network: networkOf(text) as Network,
});
const resolve = (domain: string): BarrierRule => ({ what: 'resolve', scope: HOST, domain });

describe('an isolation', () => {
  let lab: NetworkLab;
  let barrier: Barrier;
  let program: Program;
  before(async () => {
    lab = await NetworkLab.start();
    program = await lab.program();
  });
  after(() => lab[Symbol.asyncDispose]());
  afterEach(() => {
    barrier.remove('isolation');
    barrier[Symbol.dispose]();
  });

  const put = async (...rules: readonly BarrierRule[]): Promise<void> => {
    barrier = await lab.barrier();
    barrier.add({ id: 'isolation', rules: [isolate(), ...rules], until: NEVER });
  };

  it('lets nothing in or out, whatever was open before', async () => {
    const [tcp, udp, six, raw] = [await lab.program(), await lab.program(), await lab.program(), await lab.program()];
    await tcp.ask(`hold tcp ${PEER} ${PORT}`);
    await udp.ask(`hold udp ${PEER} ${PORT}`);
    await six.ask(`hold tcp ${PEER6} ${PORT}`);
    await raw.ask(`hold raw ${PEER} ${PORT}`);
    assert.deepEqual([await tcp.ask('use'), await udp.ask('use'), await six.ask('use')], ['ok', 'ok', 'ok']);
    await program.ask('listen 7003');
    await put();
    await lab.arrived();
    for (const held of [tcp, udp, six]) assert.match(await held.ask('use'), /timeout|EPERM/);
    assert.equal(await raw.ask('use'), 'EPERM');
    for (const host of [PEER, PEER6])
      for (const kind of ['tcp', 'udp']) assert.match(await program.ask(`${kind} ${host} ${PORT}`), /timeout|EPERM/);
    assert.equal(await program.ask('raw'), 'EPERM');
    assert.equal(await lab.peer.ask(`connect ${OWN} 7003`), 'TimeoutError');
    assert.equal(await lab.arrived(), 0, 'packets that left');
    const counts = barrier.counts();
    assert.equal(counts.isolatedSockets > 0 && counts.isolatedPackets > 0, true, JSON.stringify(counts));
  });

  it('leaves loopback alone', async () => {
    await put();
    await program.ask('listen 7004');
    const other = await lab.program();
    assert.equal(await other.ask('hold tcp 127.0.0.1 7004'), 'ok');
    assert.equal(await other.ask(`hold tcp ${OWN} 7004`), 'ok');
  });

  it('lets the allowed addresses through, in both directions', async () => {
    await put(allow(PEER));
    await program.ask('listen 7005');
    assert.equal(await program.ask(`tcp ${PEER} ${OTHER_PORT}`), 'ok');
    assert.equal(await program.ask(`udp ${PEER} ${OTHER_PORT}`), 'ok');
    assert.equal(await lab.peer.ask(`connect ${OWN} 7005`), 'ok');
    assert.match(await program.ask(`udp ${PEER6} ${OTHER_PORT}`), /timeout|EPERM/);
  });

  it('resolves the listed names, and nothing else by way of port 53', async () => {
    await put(resolve('broker.test'));
    assert.equal(await program.ask(`query ${PEER} broker.test`), 'ok');
    assert.equal(await program.ask(`query ${PEER} BROKER.test`), 'ok');
    const before = barrier.counts().isolatedNames;
    for (const name of ['tunnel.broker.test', 'xbroker.test', 'broker.test.evil', 'test', 'other.example'])
      assert.equal(await program.ask(`query ${PEER} ${name}`), 'EPERM', name);
    assert.equal(await program.ask(`malformed ${PEER} broker.test`), 'EPERM');
    assert.equal(await program.ask(`udp ${PEER} 53`), 'EPERM');
    assert.equal(barrier.counts().isolatedNames, before + 7);
    assert.match(await program.ask(`query-tcp ${PEER} broker.test`), /timeout|EPERM/);
    // An answer that nobody has asked for would be a way in.
    await program.ask(`bind ${OWN} 7007`);
    await lab.peer.ask(`send ${OWN} 7007`);
    assert.equal(await program.ask('receive'), 'timeout');
    barrier.remove('isolation');
    await lab.peer.ask(`send ${OWN} 7007`);
    assert.equal(await program.ask('receive'), 'ok');
  });

  it('of a cgroup holds for those below it, and for sockets that are passed out of it', async () => {
    const container = lab.group();
    const nested = lab.group(container);
    const [inside, below] = [await lab.program(container), await lab.program(nested)];
    barrier = await lab.barrier();
    barrier.add({ id: 'isolation', rules: [isolate(container.id)], until: NEVER });
    await below.ask(`hold udp ${PEER} ${PORT}`);
    for (const held of [inside, below]) assert.match(await held.ask(`udp ${PEER} ${PORT}`), /timeout|EPERM/);
    assert.equal(await program.ask(`udp ${PEER} ${PORT}`), 'ok');
    assert.equal(await below.ask('raw'), 'EPERM');
    // The socket stays the container's after its process has left.
    writeFileSync(join(lab.host.path, 'cgroup.procs'), String(below.pid));
    assert.equal(await below.ask('use'), 'EPERM');
    assert.equal(await below.ask(`udp ${PEER} ${PORT}`), 'ok');
  });

  it('never cuts off the agent, whose earlier sockets and accepted connections pass too', async () => {
    const agent = await lab.program();
    await agent.ask(`hold tcp ${PEER} ${PORT}`);
    const start = await lab.startOf(agent.pid);
    barrier = await lab.barrier([], [{ pid: agent.pid, tgid: agent.pid, start }]);
    barrier.add({ id: 'isolation', rules: [isolate()], until: NEVER });
    assert.equal(await agent.ask('use'), 'ok');
    assert.equal(await agent.ask(`tcp ${PEER} ${PORT}`), 'ok');
    assert.equal(await agent.ask(`udp ${PEER6} ${PORT}`), 'ok');
    assert.equal(await agent.ask('raw'), 'ok');
    assert.equal(await agent.ask('listen 7006'), 'ok');
    assert.equal(await lab.peer.ask(`connect ${OWN} 7006`), 'ok');
    assert.match(await program.ask(`udp ${PEER} ${PORT}`), /timeout|EPERM/);
  });

  it('holds when the agent dies, and is the same after its next start', async () => {
    await put(allow(PEER6));
    barrier[Symbol.dispose]();
    assert.match(await program.ask(`udp ${PEER} ${PORT}`), /timeout|EPERM/);
    assert.equal(await program.ask(`udp ${PEER6} ${PORT}`), 'ok');
    barrier = await lab.barrier([{ id: 'isolation', rules: [isolate(), allow(PEER6)], until: NEVER }]);
    assert.equal(barrier.holds('isolation'), true);
    assert.match(await program.ask(`udp ${PEER} ${PORT}`), /timeout|EPERM/);
    assert.equal(await program.ask(`udp ${PEER6} ${PORT}`), 'ok');
  });

  it('comes back after the kernel has lost it, and ends if the journal does not have it', async () => {
    await put();
    barrier[Symbol.dispose]();
    lab.reboot();
    assert.equal(await program.ask(`udp ${PEER} ${PORT}`), 'ok');
    barrier = await lab.barrier([{ id: 'isolation', rules: [isolate()], until: NEVER }]);
    assert.match(await program.ask(`udp ${PEER} ${PORT}`), /timeout|EPERM/);
    barrier[Symbol.dispose]();
    barrier = await lab.barrier();
    assert.equal(await program.ask(`udp ${PEER} ${PORT}`), 'ok');
  });

  it('of an earlier release holds until the maps of the new one are filled', async () => {
    await put();
    barrier[Symbol.dispose]();
    lab.replaceMap('barrier_isolated');
    assert.match(await program.ask(`udp ${PEER} ${PORT}`), /timeout|EPERM/);
    barrier = await lab.barrier([{ id: 'isolation', rules: [isolate()], until: NEVER }]);
    assert.match(await program.ask(`udp ${PEER} ${PORT}`), /timeout|EPERM/);
    barrier.remove('isolation');
    assert.equal(await program.ask(`udp ${PEER} ${PORT}`), 'ok');
  });

  it('is seen to be gone when its hooks were detached, and the next rule attaches them again', async () => {
    await put();
    using link = BpfLink.openPinned(join(lab.pins, 'link_barrier_leaves'));
    link.detach();
    assert.equal(barrier.isAttached, false);
    assert.equal(barrier.holds('isolation'), false);
    barrier.add({ id: 'isolation', rules: [isolate()], until: NEVER });
    assert.equal(barrier.holds('isolation'), true);
    assert.match(await program.ask(`udp ${PEER} ${PORT}`), /timeout|EPERM/);
  });
});
