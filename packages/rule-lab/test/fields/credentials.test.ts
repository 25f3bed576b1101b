/** Credentials and capabilities before and after the calls that change them, as rules read them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { records, u64FromBigInt as u64 } from '@ringfence/wire';
import { compile, matchesOf, Scene } from './scene.ts';

const { IsolationOperation: OPERATION } = records;
const CAP_SYS_ADMIN = u64(1n << 21n);
const NEW_USER = 0x1000_0000n;

function holds(condition: string, play: (scene: Scene) => void): boolean {
  const rules = compile(`- rule: r\n  desc: d\n  condition: ${JSON.stringify(condition)}\n`);
  const scene = new Scene();
  play(scene);
  return matchesOf(scene, rules).length > 0;
}

/** A process without capabilities gets one by the call; the change follows the event of the call, as in the sensor. */
function isolate(operation: number): (scene: Scene) => void {
  return (scene) => {
    const process = scene.start('/opt/x');
    scene.credentials(process, 1000);
    const before = process.credentials;
    const after = { ...before, capEffective: CAP_SYS_ADMIN, capPermitted: CAP_SYS_ADMIN };
    scene.event(process, 'Isolation', { option: NEW_USER, operation, before, after });
    scene.credentials(process, after);
  };
}

const plays = {
  unshare: isolate(OPERATION.ISOLATION_UNSHARE),
  setns: isolate(OPERATION.ISOLATION_SETNS),
  prctl: isolate(OPERATION.ISOLATION_PRCTL),
  setuid: (scene: Scene) => {
    const process = scene.start('/opt/x');
    scene.credentials(process, { uid: 1, euid: 2, suid: 3, fsuid: 4, gid: 5, egid: 6, sgid: 7, fsgid: 8 });
  },
  capset: (scene: Scene) => scene.credentials(scene.start('/opt/x'), { capInheritable: CAP_SYS_ADMIN }),
};

const table: readonly (readonly [event: keyof typeof plays, yes: readonly string[], no: readonly string[]])[] = [
  [
    'unshare',
    [
      'event.action = unshare and user.before.id = 1000 and user.changes.id = 1000',
      'event.action = unshare and process.capabilities.after.effective contains CAP_SYS_ADMIN',
      'event.action = unshare and process.capabilities.gained = CAP_SYS_ADMIN',
      'event.action = unshare and not process.thread.capabilities.effective contains CAP_SYS_ADMIN',
      'event.action = credentials and process.thread.capabilities.effective contains CAP_SYS_ADMIN',
    ],
    ['event.action = unshare and process.capabilities.before.permitted contains CAP_SYS_ADMIN'],
  ],
  ['setns', ['event.action = setns and process.capabilities.after.permitted = CAP_SYS_ADMIN'], []],
  ['prctl', [], ['event.action = prctl and user.before.id exists']],
  [
    'setuid',
    [
      'user.changes.id = 1 and user.changes.effective.id = 2 and user.changes.saved.id = 3 and user.changes.filesystem.id = 4',
      'group.changes.id = 5 and group.changes.effective.id = 6 and group.changes.saved.id = 7 and group.changes.filesystem.id = 8',
      'user.before.saved.id = 0 and group.before.saved.id = 0 and group.before.filesystem.id = 0',
    ],
    [],
  ],
  [
    'capset',
    ['process.capabilities.after.inheritable = CAP_SYS_ADMIN and not process.capabilities.gained = CAP_SYS_ADMIN'],
    ['process.capabilities.before.inheritable = CAP_SYS_ADMIN'],
  ],
];

describe('credentials before and after a call', () => {
  for (const [event, yes, no] of table) {
    for (const condition of yes) it(`${event}: ${condition}`, () => assert.ok(holds(condition, plays[event])));
    for (const condition of no) it(`${event}: not ${condition}`, () => assert.ok(!holds(condition, plays[event])));
  }
});
