/** Files on the host that others write: descriptions of containers, programs with probes. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { matchRuntime } from '@ringfence/host-facts';
import { ElfFile, ProbeProblem, usdtSites } from '@ringfence/sensor/parts';
import { mutate } from '../lib/mutate.ts';
import type { Random } from '../lib/random.ts';
import { type FuzzTarget, outcomeOf } from '../lib/target.ts';

const ID = 'a'.repeat(64);
const SPEC = {
  process: { capabilities: { bounding: ['CAP_CHOWN'], effective: ['CAP_SYS_ADMIN'] }, env: ['A=b'] },
  annotations: { 'io.kubernetes.cri.container-name': 'web', 'io.kubernetes.cri.image-name': 'shop:1' },
  mounts: [
    { destination: '/proc', type: 'proc' },
    { destination: '/data', source: '/srv', options: ['ro'] },
  ],
  linux: { maskedPaths: ['/proc/kcore'], namespaces: [{ type: 'network', path: '/proc/1/ns/net' }] },
};
const DOCKER = {
  ...{ Name: '/web', Image: `sha256:${ID}`, Driver: 'overlay2', State: { StartedAt: '2026-12-01T00:00:00Z' } },
  Config: { Image: 'shop:1', Labels: { 'io.kubernetes.pod.name': 'p' } },
  MountPoints: { '/data': { Source: '/srv', Destination: '/data', RW: false } },
};
const PODMAN = [
  { id: ID, names: ['web'], image: ID, metadata: '{"name":"web","image-name":"shop:1"}', created: '2026' },
];

/** Each runtime: a cgroup path, and the file that the input becomes. */
const RUNTIMES = [
  { cgroup: `/docker-${ID}.scope`, file: `var/lib/docker/containers/${ID}/config.v2.json`, genuine: DOCKER },
  {
    cgroup: `/cri-containerd-${ID}.scope`,
    file: `run/containerd/io.containerd.runtime.v2.task/k8s.io/${ID}/config.json`,
    genuine: SPEC,
  },
  {
    cgroup: `/crio-${ID}.scope`,
    file: `run/containers/storage/overlay-containers/${ID}/userdata/config.json`,
    genuine: SPEC,
  },
  {
    cgroup: `/libpod-${ID}.scope`,
    file: 'var/lib/containers/storage/overlay-containers/containers.json',
    genuine: PODMAN,
  },
];

const STRANGE: readonly unknown[] = [
  null,
  -1,
  1e308,
  'x'.repeat(5000),
  [],
  {},
  [[]],
  true,
  '__proto__',
  '2026-13-45',
  'sha256:zz',
];

/** Replaces some values of a document by others of any type. */
function strange(value: unknown, random: Random): unknown {
  if (random.once(8)) return random.pick(STRANGE);
  if (Array.isArray(value))
    return random.once(20) ? Array(5000).fill(value[0]) : value.map((item) => strange(item, random));
  if (typeof value !== 'object' || value === null) return random.once(8) ? random.text(40) : value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [random.once(15) ? random.text() : key, strange(item, random)]),
  );
}

export const containers: FuzzTarget = {
  name: 'containers',
  description: 'descriptions of containers that Docker, containerd, CRI-O and Podman write',
  shortRuns: 400,
  outcomes: ['described', 'unknown'],
  memoryMax: 16 << 20,
  open() {
    const root = mkdtempSync(join(tmpdir(), 'rf-fuzz-'));
    for (const { file } of RUNTIMES) mkdirSync(dirname(join(root, file)), { recursive: true });
    /** The first byte selects the runtime. */
    const describe = (input: Buffer): string => {
      const { cgroup, file } = RUNTIMES[(input[0] ?? 0) % RUNTIMES.length]!;
      writeFileSync(join(root, file), input.subarray(1));
      const match = matchRuntime(cgroup);
      const found = match?.runtime.describe(match.id, { root, dockerRoots: [] });
      rmSync(join(root, file));
      if (found === null || found === undefined) return 'unknown';
      // The agent writes it into a record.
      if (JSON.stringify(found, (_, value) => (typeof value === 'bigint' ? String(value) : value)).length > 1 << 20)
        throw new Error('a description that is too long for a record');
      return 'described';
    };
    const asInput = (index: number, document: unknown): Buffer =>
      Buffer.concat([Buffer.from([index]), Buffer.from(JSON.stringify(document) ?? 'null')]);
    return {
      warmUp: () => void describe(asInput(0, DOCKER)),
      generate(random) {
        const index = random.below(RUNTIMES.length);
        const input = asInput(index, strange(RUNTIMES[index]!.genuine, random));
        return random.once(4) ? Buffer.concat([input.subarray(0, 1), mutate(input.subarray(1), random)]) : input;
      },
      run: describe,
      finish() {
        const outcomes = RUNTIMES.map(({ genuine }, index) => describe(asInput(index, genuine)));
        rmSync(root, { recursive: true, force: true });
        if (outcomes.some((outcome) => outcome !== 'described')) throw new Error(`right files: ${outcomes.join(', ')}`);
      },
    };
  },
};

const SECTION_BYTES = 64;
const SEGMENT_BYTES = 56;
const NAMES = '\0.note.stapsdt\0.stapsdt.base\0.symtab\0.strtab\0.shstrtab\0';

/** Returns a note of a USDT probe (systemtap's sys/sdt.h). */
function note(random: Random): Buffer {
  const texts = `${random.pick(['app', random.text()])}\0${random.pick(['start', random.text()])}\0-4@%edi 8@-16(%rbp)\0`;
  const addresses = Buffer.alloc(24, random.once(3) ? random.next() & 0xff : 0);
  const descriptor = Buffer.concat([addresses, Buffer.from(texts)]);
  const head = Buffer.alloc(12);
  head.writeUInt32LE(8, 0);
  head.writeUInt32LE(random.once(6) ? random.next() : descriptor.length, 4);
  head.writeUInt32LE(3, 8);
  return Buffer.concat([head, Buffer.from('stapsdt\0'), descriptor, Buffer.alloc((4 - (descriptor.length % 4)) % 4)]);
}

/** Returns a program with sections of probes and symbols. */
function elfBy(random: Random): Buffer {
  const notes = Buffer.concat(Array.from({ length: 1 + random.below(3) }, () => note(random)));
  const symbols = Buffer.concat(Array.from({ length: random.below(4) }, () => Buffer.from(random.bytes(24))));
  const contents = [notes, Buffer.alloc(1), symbols, Buffer.from(`\0${random.text()}\0`), Buffer.from(NAMES)];
  const head = Buffer.alloc(64);
  head.write('\x7fELF\x02\x01\x01', 0, 'latin1');
  head.writeUInt16LE(process.arch === 'arm64' ? 183 : 62, 18);
  // The kernel would load a segment: all of the file.
  const segment = Buffer.alloc(SEGMENT_BYTES);
  segment.writeUInt32LE(1, 0);
  segment.writeBigUInt64LE(BigInt(random.once(6) ? random.next() : 1 << 20), 32);
  head.writeBigUInt64LE(BigInt(head.length), 32);
  head.writeUInt16LE(SEGMENT_BYTES, 54);
  head.writeUInt16LE(1, 56);
  const starts: number[] = [];
  let end = head.length + SEGMENT_BYTES;
  for (const content of contents) {
    starts.push(end);
    end += content.length;
  }
  head.writeBigUInt64LE(BigInt(end), 40);
  head.writeUInt16LE(SECTION_BYTES, 58);
  head.writeUInt16LE(contents.length + 1, 60);
  head.writeUInt16LE(contents.length, 62);
  const table = contents.map((content, index) => {
    const section = Buffer.alloc(SECTION_BYTES);
    section.writeUInt32LE(NAMES.indexOf(NAMES.split('\0')[index + 1] ?? ''), 0);
    section.writeUInt32LE([7, 1, 2, 3, 3][index] ?? 1, 4);
    section.writeBigUInt64LE(BigInt(random.once(4) ? random.next() : 0), 16);
    section.writeBigUInt64LE(BigInt(starts[index] ?? 0), 24);
    section.writeBigUInt64LE(BigInt(random.once(9) ? random.next() : content.length), 32);
    section.writeUInt32LE(random.once(6) ? random.integer() >>> 0 : 4, 40);
    return section;
  });
  return Buffer.concat([head, segment, ...contents, Buffer.alloc(SECTION_BYTES), ...table]);
}

export const elf: FuzzTarget = {
  name: 'elf',
  description: 'programs and libraries with symbols and USDT notes, for custom probes',
  shortRuns: 600,
  outcomes: ['accepted', 'ERR_COLLECTOR_PROBE'],
  memoryMax: 32 << 20,
  open() {
    const folder = mkdtempSync(join(tmpdir(), 'rf-fuzz-'));
    const path = join(folder, 'program');
    const read = (): void => {
      using file = new ElfFile(path);
      usdtSites(file, { kind: 'usdt', path, provider: 'app', name: 'start' });
    };
    const genuine = readFileSync(process.execPath).subarray(0, 4096);
    return {
      generate: (random) =>
        random.once(5) ? mutate(genuine, random) : random.once(3) ? mutate(elfBy(random), random) : elfBy(random),
      run(input) {
        writeFileSync(path, input);
        return outcomeOf(read, ProbeProblem);
      },
      finish: () => rmSync(folder, { recursive: true, force: true }),
    };
  },
};
