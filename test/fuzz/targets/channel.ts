import { duplexPair } from 'node:stream';
import { OperatorError } from '@ringfence/base';
import { Channel } from '@ringfence/runtime/channel';
import { parseInterest } from '@ringfence/runtime/parse-interest';
import { mutate } from '../lib/mutate.ts';
import type { Random } from '../lib/random.ts';
import { codeOf, type FuzzTarget } from '../lib/target.ts';

const METHODS = [
  'start',
  'stats',
  'execute',
  'interest',
  'enrolment',
  'settle',
  'ticks',
  'close',
  'toString',
  '__proto__',
  '',
];
const LISTS = [
  'openPathPrefixes',
  'openNames',
  'openExecutables',
  'changePathPrefixes',
  'changeNames',
  'openPaths',
  'environment',
  'wants',
];

function jsonBy(random: Random, depth = 0): unknown {
  switch (random.below(depth > 4 ? 5 : 8)) {
    case 0:
      return null;
    case 1:
      return random.integer();
    case 2:
      return random.text();
    case 3:
      return random.once(2);
    case 4:
      return random.pick(METHODS);
    case 5:
      return Array.from({ length: random.below(4) }, () => jsonBy(random, depth + 1));
    case 6:
      return interestBy(random, depth + 1);
    default:
      return Object.fromEntries(
        Array.from({ length: random.below(4) }, () => [
          random.once(3) ? random.pick(['message', 'toString', 'code', 'fate']) : random.text(),
          jsonBy(random, depth + 1),
        ]),
      );
  }
}

function interestBy(random: Random, depth: number): object {
  const texts = Array.from({ length: random.below(4) }, () => random.text());
  const want = {
    kind: 'open',
    form: 'any',
    scope: 'any',
    peerPorts: [random.integer()],
    localPorts: jsonBy(random, depth),
  };
  const list = (name: string): unknown => (random.once(9) ? jsonBy(random, depth) : name === 'wants' ? [want] : texts);
  return { version: random.integer(), ...Object.fromEntries(LISTS.map((name) => [name, list(name)])) };
}

function headBy(random: Random): unknown {
  if (random.once(20)) return jsonBy(random);
  const id = random.once(9) ? jsonBy(random) : random.below(4);
  if (random.once(2))
    return { id, method: random.once(9) ? jsonBy(random) : random.pick(METHODS), value: jsonBy(random) };
  return { id, value: jsonBy(random), ...(random.once(2) ? { failure: jsonBy(random) } : {}) };
}

function frameBy(random: Random): Buffer {
  const text = JSON.stringify(headBy(random));
  const json = random.once(9) ? mutate(Buffer.from(text), random) : Buffer.from(text);
  const bytes = random.bytes(50);
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32LE(random.once(20) ? random.next() : 4 + json.length + bytes.length, 0);
  lengths.writeUInt32LE(random.once(20) ? random.next() : json.length, 4);
  return Buffer.concat([lengths, json, bytes]);
}

/** Ends when everything that was written has been read. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

/** Gives the bytes to a channel that has two calls open, and checks that none of them is forgotten. */
async function feed(input: Buffer): Promise<string> {
  const [near, far] = duplexPair();
  far.resume();
  const channel = new Channel(near, {
    start: ({ value }) => void (value === null || parseInterest(value)),
    interest: ({ value }) => void parseInterest(value),
    execute: ({ bytes }) => bytes.length,
  });
  const calls = [channel.call('first'), channel.call('second')];
  const endings = calls.map((call) =>
    call.then(
      () => 'answered',
      () => 'rejected',
    ),
  );
  const half = input.length >> 1;
  for (const part of [input.subarray(0, half), input.subarray(half)]) {
    far.write(part);
    await settled();
  }
  const ended = channel.ended.catch((error: unknown) => codeOf(error, OperatorError));
  const outcome = await Promise.race([ended, settled().then(() => 'open')]);
  channel.close();
  far.destroy();
  await Promise.all(endings);
  return outcome === 'open' ? 'accepted' : 'refused';
}

export const channel: FuzzTarget = {
  name: 'channel',
  description: 'frames between the process with capabilities and the services, and the interest in them',
  shortRuns: 800,
  outcomes: ['accepted', 'refused'],
  // Two streams and their buffers.
  memoryMax: 8 << 20,
  open: () => ({
    generate(random) {
      const frames = Buffer.concat(Array.from({ length: 1 + random.below(4) }, () => frameBy(random)));
      return random.once(9) ? mutate(frames, random) : frames;
    },
    run: feed,
  }),
};
