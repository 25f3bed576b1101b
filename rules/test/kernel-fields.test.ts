import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EventValues } from '@ringfence/testkit';
import { type KindName, records } from '@ringfence/wire';
import { compile, judge, Scene } from './support.ts';

const { AF_INET, AF_UNIX } = records.AddressFamily;
const LOOPBACK = '127.0.0.1';

/** Conditions that hold on an event with these values, and some that do not. */
const table: readonly {
  readonly event: readonly [KindName, EventValues];
  readonly holds: readonly string[];
  readonly not: readonly string[];
}[] = [
  {
    event: [
      'Module',
      { operation: 1, result: 0, name: 'ext4', nameSource: 1, path: '/lib/modules/x/ext4.ko', parameters: 'a=1' },
    ],
    holds: [
      'event.action = module_load and event.category = driver and event.outcome = success',
      'evt.type = finit_module',
      'kernel.module.name = ext4 and kernel.module.name_is_own = true and kernel.module.file = ext4.ko',
      'kernel.module.path = /lib/modules/x/ext4.ko and kernel.module.parameters = a=1 and kernel.module.from_memory = false',
    ],
    not: ['file.path exists', 'evt.type = init_module'],
  },
  {
    event: ['Module', { operation: 1, result: -1, fromMemory: true }],
    holds: ['evt.type = init_module and event.outcome = failure', 'kernel.module.from_memory = true'],
    not: ['kernel.module.path exists', 'kernel.module.name exists', 'kernel.module.name_is_own = true'],
  },
  {
    event: ['Module', { operation: 2, name: 'x', nameSource: 3 }],
    holds: ['event.action = module_unload and evt.type = delete_module and kernel.module.name = x'],
    not: ['event.action = module_load'],
  },
  {
    event: ['Bpf', { command: 5, programType: 2, name: 'hide', id: 7, result: 4 }],
    holds: [
      'event.action = bpf and evt.type = bpf and event.category = driver',
      'bpf.command = BPF_PROG_LOAD and evt.arg.cmd = BPF_PROG_LOAD',
      'bpf.program.type = kprobe and bpf.name = hide and bpf.id = 7',
    ],
    not: ['bpf.map.type exists', 'bpf.path exists'],
  },
  {
    event: ['Bpf', { command: 0, programType: 27, name: 'events' }],
    holds: ['bpf.command = BPF_MAP_CREATE and bpf.map.type = ringbuf'],
    not: ['bpf.program.type exists', 'bpf.attach.type exists', 'bpf.id exists'],
  },
  {
    event: ['Bpf', { command: 28, programType: 29, attachType: 27 }],
    holds: ['bpf.command = BPF_LINK_CREATE and bpf.program.type = lsm and bpf.attach.type = lsm_mac'],
    not: ['bpf.name exists'],
  },
  {
    event: ['Bpf', { command: 6, name: '/sys/fs/bpf/x', result: -1 }],
    holds: ['bpf.path = /sys/fs/bpf/x and event.outcome = failure'],
    not: ['bpf.name exists'],
  },
  {
    event: ['Attempt', { operation: 2, call: 5, result: -2, count: 1, path: '/usr/bin/x', argv: 'x\0-v' }],
    holds: [
      'event.action = exec_failed and event.category = process and event.outcome = failure and error.code = ENOENT',
      "attempt.call = execve and attempt.path = /usr/bin/x and attempt.args = '-v' and attempt.args_cut = false",
      'event.result = -2 and evt.rawres = -2',
    ],
    // What a program of its own is, to these rules and to Falco's.
    not: [
      'event.action = exec',
      'event.action in (exec, fork, credentials)',
      'evt.type in (execve, execveat, clone, fork, setresuid)',
      'event.outcome = success',
      'process.executable = /usr/bin/x',
      'process.args = x',
    ],
  },
  {
    event: ['Sysctl', { name: 'net/ipv4/conf/eth0.1/forwarding', before: '0', after: '1' }],
    holds: [
      'event.action = sysctl and event.category = configuration',
      'sysctl.name = net.ipv4.conf.eth0/1.forwarding and sysctl.value = 1 and sysctl.previous = 0',
    ],
    not: ['event.outcome exists'],
  },
  {
    event: ['SystemChange', { operation: 7, first: 6n, second: 9n, text: 'rf:key', detail: 'user', result: 12 }],
    holds: [
      'event.action = add_key and evt.type = add_key and event.result = 12',
      'system.text = rf:key and system.detail = user and system.argument[0] = 6 and system.argument[1] = 9',
    ],
    not: ['system.argument[3] exists', 'system.argument[2] = 1'],
  },
  {
    event: ['IoUring', { opcode: 18, result: 5, path: '/etc/shadow', flags: 0o102, inode: 77n }],
    holds: [
      'event.action = open and event.category = file and evt.type = openat and event.outcome = success',
      'file.path = /etc/shadow and file.name = shadow and file.directory = /etc and file.inode = 77',
      'file.open.write = true and file.open.create = true and io_uring.operation = openat',
      'io_uring.submission_thread = false and io_uring.result_unknown = false',
    ],
    not: ['destination.ip exists', 'io_uring.target exists', 'file.mode exists'],
  },
  {
    event: ['IoUring', { opcode: 16, result: -111, family: AF_INET, port: 443, address: LOOPBACK }],
    holds: [
      'event.action = connect and event.category = network and event.outcome = failure',
      `destination.ip = ${LOOPBACK} and destination.port = 443`,
      `io_uring.address = ${LOOPBACK} and io_uring.port = 443`,
    ],
    not: ['source.ip exists', 'file.path exists', 'file.open.write = false'],
  },
  {
    event: ['IoUring', { opcode: 13, result: 5, family: AF_INET, port: 4000, address: LOOPBACK }],
    holds: [`event.action = accept and source.ip = ${LOOPBACK} and source.port = 4000`],
    not: ['destination.ip exists'],
  },
  {
    event: ['IoUring', { opcode: 16, family: AF_UNIX, path: '/run/docker.sock' }],
    holds: ['event.action = connect and io_uring.socket_path = /run/docker.sock'],
    not: ['file.path exists', 'destination.port exists'],
  },
  {
    event: ['IoUring', { opcode: 35, path: '/tmp/a', target: '/etc/passwd', submissionThread: true }],
    holds: ['event.action = rename and io_uring.target = /etc/passwd and io_uring.submission_thread = true'],
    not: ['file.open.read exists'],
  },
  {
    event: ['IoUring', { opcode: 36, path: '/tmp/a', flags: 0x200 }],
    holds: ['event.action = rmdir and file.path = /tmp/a and evt.type = unlinkat'],
    not: ['event.action = unlink'],
  },
  {
    event: ['IoUring', { opcode: 46, path: '/dev/nvme0', flags: 5 }],
    holds: [
      'event.action = io_uring and event.category = process and io_uring.operation = uring_cmd and io_uring.flags = 5',
    ],
    not: ['event.action = open'],
  },
];

function holds(condition: string, [kind, values]: readonly [KindName, EventValues]): boolean {
  const scene = new Scene();
  scene.event(scene.start('/opt/x'), kind, values);
  // What no event here is, so that a condition that contradicts the others is no reason for a warning.
  const either = `(${condition}) or process.args = none`;
  const marked = `process.executable = /opt/x and event.action != fork and event.action != exec and (${either})`;
  const rule = `- rule: r\n  condition: >\n    ${marked}\n  output: x\n`;
  return judge(scene, compile([{ name: 'test.yaml', text: rule }])).length > 0;
}

describe('fields of events that concern the kernel', () => {
  for (const { event, holds: conditions, not } of table) {
    const [kind, values] = event;
    const title = `${kind} ${Object.values(values).join(' ')}`;
    for (const condition of conditions) test(`${title}: ${condition}`, () => assert.ok(holds(condition, event)));
    for (const condition of not) test(`${title}: not ${condition}`, () => assert.ok(!holds(condition, event)));
  }
});
