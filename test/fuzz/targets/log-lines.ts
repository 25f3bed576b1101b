import { createEnricherPipeline, EnricherError } from '@ringfence/enricher';
import { consumerRecords } from '@ringfence/synthetic';
import { createSigningKey, type SigningKey, signBytes, TOPIC } from '@ringfence/wire';
import { mutate } from '../lib/mutate.ts';
import type { Random } from '../lib/random.ts';
import { type FuzzTarget, outcomeOf } from '../lib/target.ts';

const HOST = '00000000-0000-4000-8000-000000000001';
const LINES = [
  'Accepted publickey for ann from 203.0.113.9 port 40000 ssh2: ED25519 SHA256:abc',
  'Failed password for invalid user admin from 203.0.113.9 port 1 ssh2',
  'pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=10.0.0.1  user=root',
  'ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/id',
  'new user: name=eve, UID=1001, GID=1001, home=/home/eve, shell=/bin/sh, from=/dev/pts/0',
  '(root) CMD (run-parts /etc/cron.hourly)',
  'session opened for user root(uid=0) by ann(uid=1000)',
  '203.0.113.9 - - [01/Dec/2026:00:00:00 +0000] "GET /?x=../../etc/passwd HTTP/1.1" 200 5 "-" "curl"',
];
const PROGRAMS = ['sshd', 'sudo', 'su', 'useradd', 'CRON', 'systemd-logind', 'kernel', ''];
const TIMES = ['2026-12-01T00:00:00.000Z', '1969-01-01T00:00:00Z', '+275761-01-01T00:00:00Z', 'now', ''];

/** Returns a document as Filebeat writes it. */
function documentBy(random: Random): object {
  const line = random.pick(LINES);
  const message = random.once(2) ? line : mutate(Buffer.from(line), random).toString('latin1');
  const at = random.once(3) ? random.text() : random.pick(TIMES);
  return {
    '@timestamp': at,
    message: random.once(20) ? random.integer() : message.repeat(random.once(50) ? 200 : 1),
    log: {
      file: { path: random.once(5) ? random.text(600) : '/var/log/auth.log', inode: String(random.integer()) },
      offset: random.integer(),
      ...(random.once(2) ? { syslog: { appname: random.pick(PROGRAMS) } } : {}),
    },
    process: { pid: random.integer() },
    ...(random.once(3) ? { event: { created: random.pick(TIMES) } } : {}),
    ...(random.once(3) ? { agent: random.once(2) ? { id: random.text() } : random.text() } : {}),
    ringfence: { sequence: random.integer(), length: random.integer() },
  };
}

/** Returns a record of an agent: head, documents, signature. The key is right, so that everything is read. */
function signedBy(random: Random, key: SigningKey): Buffer {
  const head = {
    ...{ version: 1, host_id: HOST, boot_id: random.once(5) ? random.text() : HOST, run: '0000000000000001' },
    ...{ wall_offset: random.integer(), sent_at: random.integer(), sequence: random.integer() },
    drops: { rate: random.integer() },
  };
  const documents = Array.from({ length: random.below(5) }, () => JSON.stringify(documentBy(random)));
  const text = Buffer.from(`${[JSON.stringify({ ringfence: head }), ...documents].join('\n')}\n`);
  const bytes = random.once(4) ? Buffer.concat([text.subarray(0, 12), mutate(text.subarray(12), random)]) : text;
  const signature = { key_id: key.keyId, ed25519: signBytes(key, bytes).toString('base64') };
  return Buffer.concat([bytes, Buffer.from(JSON.stringify({ signature }))]);
}

export const logLines: FuzzTarget = {
  name: 'log-lines',
  description: 'lines of logs from agents and from Filebeat, as the enricher parses them',
  shortRuns: 800,
  outcomes: ['accepted', 'ERR_ENRICHER_BOUNDS', 'ERR_ENRICHER_KEY', 'ERR_ENRICHER_SIGNATURE'],
  memoryMax: 16 << 20,
  open() {
    const key = createSigningKey();
    const pipeline = createEnricherPipeline({ enrolment: { keyFor: () => key.publicKey }, key: null });
    let offset = 0;
    // A service that gets such an error puts the record to the dead letters.
    const feed = (bytes: Buffer): string =>
      outcomeOf(() => pipeline.handle(consumerRecords(HOST, [bytes], TOPIC.logsRaw, offset++)), EnricherError);
    const genuine = Buffer.from(JSON.stringify({ '@timestamp': TIMES[0], message: LINES[0], log: { offset: 1 } }));
    return {
      warmUp: () => void feed(genuine),
      generate(random) {
        if (random.once(2)) return signedBy(random, key);
        const document = Buffer.from(JSON.stringify(documentBy(random)));
        return random.once(3) ? mutate(document, random) : document;
      },
      run: feed,
      finish() {
        if (feed(Buffer.from(genuine.toString().replace('1}', '2}'))) !== 'accepted')
          throw new Error('a line is refused');
      },
    };
  },
};
